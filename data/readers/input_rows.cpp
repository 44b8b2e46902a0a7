#include "data/readers/input_rows.h"

#include <limits>

namespace sft {

InputRows::InputRows(const StringList& files, Quotes quotes) : files_(files), quotes_(quotes) {}

bool InputRows::next(Row& row) {
  for (; at_ < files_.size(); ++at_, reader_.reset()) {
    row.file = &files_[at_];
    if (!reader_) reader_ = open_reader(files_[at_], {}, std::numeric_limits<int64_t>::max(), quotes_);
    if (reader_->next(row)) return true;
  }
  return false;
}

}  // namespace sft
