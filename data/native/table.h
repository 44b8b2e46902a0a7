// Rows of Parquet and Arrow files as the crate gives them: values in the bytes that native/src/cells.rs describes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sft_table;

namespace sft {

enum class TableKind { parquet, arrow };

class NativeTable {
 public:
  // Of the row groups, or batches, that start in these bytes of the file. ConfigError where it cannot be opened,
  // DataError where it is none.
  NativeTable(const std::string& path, TableKind kind, int64_t begin, int64_t end);

  // The names of the columns, a list; valid until the next call.
  std::string_view columns();

  // The next row, an object, and its number in the file, from 1; false behind the last one. `row` is valid until the
  // next call. DataError where the rows from here on cannot be read.
  bool next(std::string_view& row, int64_t& number);

 private:
  struct Free {
    void operator()(sft_table* handle) const;
  };
  std::unique_ptr<sft_table, Free> handle_;
};

}  // namespace sft
