// The entries of a zip file that stores them as they are. Keras writes its .keras files so: an HDF5 file of weights
// among them, in which datasets lie as they would in a file of their own.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "data/hdf5/descriptor.h"

namespace sft {

class StoredZip {
 public:
  // ConfigError where there is no such file; DataError naming the file, and the entry, where it is no zip file or is
  // cut short, where an entry is deflated, encrypted or there twice, where there are more than 1,000.
  explicit StoredZip(const std::string& path);

  bool has(const std::string& entry) const { return entries_.contains(entry); }
  // The content, compared with its checksum. DataError where it is longer than `most_bytes`, damaged or not there.
  std::string text(const std::string& entry, int64_t most_bytes) const;
  // The content as a file in memory, which no path leads to.
  Descriptor in_memory(const std::string& entry) const;

 private:
  struct Entry {
    int64_t offset = 0, bytes = 0;  // of the content, in the file
    uint32_t checksum = 0;          // crc32
  };
  class Reader;
  const Entry& entry(const std::string& name) const;
  void read(int64_t offset, char* out, int64_t bytes) const;
  [[noreturn]] void refuse(const std::string& why) const;

  std::string path_;
  Descriptor file_;
  int64_t bytes_ = 0;
  std::map<std::string, Entry> entries_;
};

}  // namespace sft
