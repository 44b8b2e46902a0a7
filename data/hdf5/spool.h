// One dataset on its way into a shard: bytes are appended without knowing how many will come, in
// constant memory, and copied into place when the shard is laid out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "data/hdf5/descriptor.h"

namespace sft {

class Spool {
 public:
  // Keeps its bytes in `directory`, which should be on the file system of the shard. `files` is borrowed.
  Spool(const std::string& directory, FileOps& files);

  void append(const void* data, size_t size);
  int64_t bytes() const { return written_ + static_cast<int64_t>(block_.size()); }

  // Ends appending. crc32c of each block of format::kBlockBytes, the last one shorter.
  const std::vector<uint32_t>& finish();

  // Writes all of it at `offset` of another file. After finish().
  void copy_to(int descriptor, int64_t offset, const std::string& path) const;

 private:
  void flush();

  FileOps& files_;
  std::string name_;
  Descriptor descriptor_;
  std::vector<char> block_;
  std::vector<uint32_t> checksums_;
  int64_t written_ = 0;
};

}  // namespace sft
