// Parquet, and Arrow's IPC format, in which `datasets` keeps rows. A range of bytes holds the row groups, or batches,
// that start in it; a row's line is its number in the file.
#pragma once

#include "data/native/table.h"
#include "data/readers/reader.h"

namespace sft::table {

// BadRow for a row that is longer than any may be, or has a label beyond the names that the file has for them.
template <TableKind kind>
std::unique_ptr<Reader> open(const std::string& path, const Place& begin, int64_t end);

template <TableKind kind>
std::vector<std::string> columns(const std::string& path);

}  // namespace sft::table
