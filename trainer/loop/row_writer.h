// Predictions to a JSON Lines file in input order, from all ranks: each writes its contiguous range to a part of its
// own, rank 0 joins the parts, and one rename publishes the whole.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/file_ops.h"
#include "comm/communicator.h"

namespace sft {

class RowWriter {
 public:
  // What becomes of a row before it is written; called in the order of rows, those of this rank's range.
  using Finish = std::function<std::string(int64_t row, const std::string& json)>;

  // Every rank constructs one. Rows may be added out of order inside this rank's range. `parts` begins the names of the
  // parts, in a directory that is this job's own, on the file system of `path`.
  RowWriter(std::string path, std::string parts, int64_t num_rows, Communicator& control, FileOps& files,
            Finish finish = {});
  ~RowWriter();

  void add(int64_t row, const std::string& json);
  void publish();  // every rank calls; afterwards `path` holds all rows, durably

 private:
  void flush();
  std::string part_of(int rank) const;

  std::string path_, parts_;
  Communicator& control_;
  FileOps& files_;
  Finish finish_;
  int64_t next_;                            // row that the part goes on with
  std::map<int64_t, std::string> waiting_;  // came before their turn
  std::string buffer_;
  int part_ = -1;
  int64_t written_ = 0;
};

}  // namespace sft
