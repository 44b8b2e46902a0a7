// The table of contents of a zip archive whose entries are stored and not compressed, as torch.save and Keras write
// them
// (.ZIP File Format Specification 6.3.9, 4.3), read with distrust.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sft {

// Where in the archive the content of an entry lies.
struct ZipEntry {
  int64_t offset = 0;
  int64_t bytes = 0;
  uint32_t checksum = 0;  // crc32 of the content, which nobody has compared yet
};

// The entries of `file` by name. DataError, naming `path` and the entry, where an entry is compressed
// or encrypted, stands twice, or lies beyond the end.
std::map<std::string, ZipEntry> stored_entries(std::string_view file, const std::string& path);

}  // namespace sft
