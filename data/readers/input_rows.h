// The rows of some files, one after the other, in the order in which samples were made of them.
#pragma once

#include <cstddef>
#include <memory>

#include "base/schema.h"
#include "data/readers/reader.h"

namespace sft {

class InputRows {
 public:
  InputRows(const StringList& files, Quotes quotes);  // borrows the files

  // False behind the last one. BadRow as Reader::next(), after which it can be called again.
  bool next(Row& row);

 private:
  const StringList& files_;
  Quotes quotes_;
  size_t at_ = 0;
  std::unique_ptr<Reader> reader_;
};

}  // namespace sft
