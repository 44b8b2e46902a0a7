// The entries of a zip file that stores them as they are. Keras writes its .keras files so: an HDF5 file of weights
// among them, in which datasets lie as they would in a file of their own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/mapped_file.h"
#include "base/zip_entries.h"
#include "data/hdf5/descriptor.h"

namespace sft {

class StoredZip {
 public:
  // ConfigError where there is no such file; DataError as stored_entries() has it.
  explicit StoredZip(const std::string& path);

  // The content, compared with its checksum. DataError where it is longer than `most_bytes`, damaged or not there.
  std::string text(const std::string& entry, int64_t most_bytes) const;
  // The content as a file in memory, which no path leads to; compared likewise.
  Descriptor in_memory(const std::string& entry) const;

 private:
  std::string_view content_of(const std::string& entry) const;
  // By pieces, each of which `take` is given with where it begins.
  template <class Take>
  void read(const std::string& entry, Take take) const;
  [[noreturn]] void refuse(const std::string& why) const;

  std::string path_;
  MappedFile file_;
  std::map<std::string, ZipEntry> entries_;
};

}  // namespace sft
