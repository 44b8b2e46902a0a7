// The content of one dataset as bytes in row-major order, wherever and however the file keeps them.
// All of it may be called from several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/hdf5/guard.h"
#include "data/hdf5/layout.h"

namespace sft::hdf5 {

class Bytes {
 public:
  virtual ~Bytes() = default;
  virtual int64_t size() const = 0;

  // Copies bytes at … at + size of the content, which must be inside it. DataError where they cannot be
  // had; it names file and dataset.
  virtual void read(int64_t at, int64_t size, std::byte* out) const = 0;

  // Whether bytes can be expected: they are on their way from memory to the caches then, until they are read.
  virtual bool is_in_memory() const { return false; }
  virtual void expect(int64_t /*at*/, int64_t /*size*/) const {}
};

// Mapped where they are contiguous on a local disk, read by position on a network file system, where
// page faults are slow, and by chunks where they are chunked.
std::unique_ptr<Bytes> open_bytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset);

// The ways themselves.
std::unique_ptr<Bytes> mapped_bytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset);
std::unique_ptr<Bytes> positioned_bytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset);
std::unique_ptr<Bytes> chunked_bytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset);

// `inner`, each block of format::kBlockBytes compared with its checksum when it is first touched.
std::unique_ptr<Bytes> checked_bytes(std::unique_ptr<Bytes> inner, std::vector<uint32_t> checksums, std::string name);

// All of `size` bytes at `offset` of the file; DataError naming `name` otherwise.
void read_exactly(const GuardedFile& file, int64_t offset, int64_t size, std::byte* out, const std::string& name);

}  // namespace sft::hdf5
