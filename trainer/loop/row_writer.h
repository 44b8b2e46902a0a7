// Predictions to a JSON Lines file in input order, from all ranks: each writes its contiguous range to a part of its
// own, rank 0 joins the parts, and one rename publishes the whole.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "comm/communicator.h"
#include "data/samples/dataset.h"

namespace sft {

// The JSON object of a row, from those of its samples, at least one.
using RowOf = std::function<std::string(const std::vector<std::string>& samples)>;

class RowWriter {
 public:
  // Every rank constructs one; `dataset`, borrowed, says which row each sample was made of. `parts` begins the names of
  // the parts, in a directory that is this job's own, on the file system of `path`.
  RowWriter(std::string path, std::string parts, const Dataset& dataset, RowOf row_of, Communicator& control,
            FileOps& files);
  ~RowWriter();

  // Adds the JSON object of one sample. Samples may come out of order inside this rank's range, each of them once. A
  // row without samples becomes "null".
  void add(int64_t sample, const std::string& json);
  void publish();  // every rank calls; afterwards `path` holds all rows, durably

 private:
  void end_row();
  void flush();
  std::string part_of(int rank) const;

  std::string path_, parts_;
  Communicator& control_;
  FileOps& files_;
  const Dataset& dataset_;
  RowOf row_of_;
  int64_t next_;                            // the next sample in order
  int64_t row_, end_row_;                   // the row whose samples are being collected; the end of this rank's rows
  std::vector<std::string> samples_;        // JSON objects of row_ so far
  std::map<int64_t, std::string> waiting_;  // JSON objects of samples behind next_
  std::string buffer_;
  int part_ = -1;
  int64_t written_ = 0;
};

}  // namespace sft
