// The table of contents of a zip archive whose entries are stored and not compressed, as torch.save writes them
// (.ZIP File Format Specification 6.3.9, 4.3), read with distrust.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sft {

// Bytes of a file.
struct ByteRange {
  int64_t offset = 0;
  int64_t bytes = 0;
};

// Where the content of each entry lies in `file`. DataError, naming `path` and the entry, where an entry is compressed
// or encrypted, stands twice, or lies beyond the end.
std::map<std::string, ByteRange> stored_entries(std::string_view file, const std::string& path);

}  // namespace sft
