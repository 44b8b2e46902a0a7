#include "data/native/table.h"

#include "base/input_file.h"
#include "data/native/calls.h"

namespace sft {

void NativeTable::Free::operator()(sft_table* handle) const { sft_table_free(handle); }

NativeTable::NativeTable(const std::string& path, TableKind kind, int64_t begin, int64_t end) {
  const InputFile there(path);  // says of a missing file what all readers say
  sft_table* opened = nullptr;
  check(sft_table_open(lend(path), kind == TableKind::arrow, begin, end, &opened));
  handle_.reset(opened);
}

std::string_view NativeTable::columns() {
  sft_bytes names{};
  check(sft_table_columns(handle_.get(), &names));
  return {names.data, names.size};
}

bool NativeTable::next(std::string_view& row, int64_t& number) {
  sft_bytes bytes{};
  check(sft_table_next(handle_.get(), &bytes, &number));
  row = {bytes.data, bytes.size};
  return bytes.data != nullptr;
}

}  // namespace sft
