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

class RowWriter {
 public:
  // What becomes of a row before it is written; called in the order of rows, those of this rank's range.
  using Finish = std::function<std::string(int64_t row, const std::string& json)>;

  // Every rank constructs one; `dataset`, borrowed, says which row each sample was made of.
  RowWriter(std::string path, const Dataset& dataset, Communicator& control, FileOps& files, Finish finish = {});
  ~RowWriter();

  // Of one sample, by its index. Samples may come out of order inside this rank's range, each of them once. A row of
  // several samples becomes a list of theirs, a row of none "null".
  void add(int64_t sample, const std::string& json);
  void publish();  // every rank calls; afterwards `path` holds all rows, durably

 private:
  void end_row();
  void flush();
  std::string part_of(int rank) const;

  std::string path_;
  Communicator& control_;
  FileOps& files_;
  Finish finish_;
  const Dataset& dataset_;
  int64_t next_;                            // sample that the part goes on with
  int64_t row_, end_row_;                   // row that is being put together; behind this rank's last
  std::vector<std::string> of_row_;         // its samples
  std::map<int64_t, std::string> waiting_;  // came before their turn
  std::string buffer_;
  int part_ = -1;
  int64_t written_ = 0;
};

}  // namespace sft
