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

// What is written of a row, from what was of its samples, at least one.
using RowOf = std::function<std::string(const std::vector<std::string>& samples)>;

class RowWriter {
 public:
  // Every rank constructs one; `dataset`, borrowed, says which row each sample was made of. `parts` begins the names of
  // the parts, in a directory that is this job's own, on the file system of `path`.
  RowWriter(std::string path, std::string parts, const Dataset& dataset, RowOf row_of, Communicator& control,
            FileOps& files);
  ~RowWriter();

  // Of one sample, by its index. Samples may come out of order inside this rank's range, each of them once. A row of
  // none becomes "null".
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
  int64_t next_;                            // sample that the part goes on with
  int64_t row_, end_row_;                   // row that is being put together; behind this rank's last
  std::vector<std::string> samples_;        // of it
  std::map<int64_t, std::string> waiting_;  // came before their turn
  std::string buffer_;
  int part_ = -1;
  int64_t written_ = 0;
};

}  // namespace sft
