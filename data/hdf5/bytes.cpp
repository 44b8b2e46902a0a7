#include "data/hdf5/bytes.h"

#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "base/errors.h"
#include "base/mapped_file.h"
#include "base/text.h"

namespace sft::hdf5 {
namespace {

// The contiguous content through the page cache, mapped. The guard has seen that the file is long enough.
class MappedBytes : public Bytes {
 public:
  MappedBytes(const GuardedFile& file, const DatasetLayout& dataset)
      : size_(dataset.stored_bytes),
        mapped_(file.descriptor.get(), dataset.offset, size_, file.name_of(dataset.name)) {}

  int64_t size() const override { return size_; }
  void read(int64_t at, int64_t size, std::byte* out) const override {
    assert(at >= 0 && size >= 0 && at + size <= size_);
    std::memcpy(out, mapped_.data() + at, static_cast<size_t>(size));
    require_mapped_files_whole();
  }
  bool is_in_memory() const override { return true; }
  void expect(int64_t at, int64_t size) const override {
    assert(at >= 0 && size >= 0 && at + size <= size_);
    const std::byte* const begin = mapped_.data() + at;
    const std::byte* const end = begin + std::min(size, kLines * kLineBytes);
    for (const std::byte* line = begin; line < end; line += kLineBytes) __builtin_prefetch(line);
  }

 private:
  // Behind the first lines of a long read the processor sees by itself where it goes.
  static constexpr int64_t kLineBytes = 64, kLines = 4;

  int64_t size_;
  MappedFile mapped_;
};

class PositionedBytes : public Bytes {
 public:
  PositionedBytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset)
      : file_(std::move(file)),
        name_(file_->name_of(dataset.name)),
        offset_(dataset.offset),
        size_(dataset.stored_bytes) {}

  int64_t size() const override { return size_; }
  void read(int64_t at, int64_t size, std::byte* out) const override {
    assert(at >= 0 && size >= 0 && at + size <= size_);
    read_exactly(*file_, offset_ + at, size, out, name_);
  }

 private:
  std::shared_ptr<const GuardedFile> file_;
  std::string name_;
  int64_t offset_, size_;
};

// Content that the layout itself holds, or that has no bytes at all.
class HeldBytes : public Bytes {
 public:
  explicit HeldBytes(std::vector<uint8_t> content) : content_(std::move(content)) {}
  int64_t size() const override { return static_cast<int64_t>(content_.size()); }
  void read(int64_t at, int64_t size, std::byte* out) const override {
    assert(at >= 0 && size >= 0 && at + size <= this->size());
    if (size > 0) std::memcpy(out, content_.data() + at, static_cast<size_t>(size));
  }

 private:
  std::vector<uint8_t> content_;
};

bool is_on_network(int descriptor) {
  constexpr uint32_t kNetworks[] = {
      0x6969 /* NFS */,      0x0BD00BD0 /* Lustre */, 0x47504653 /* GPFS */, 0x19830326 /* BeeGFS */,
      0x00C36400 /* Ceph */, 0xFF534D42 /* CIFS */,   0xFE534D42 /* SMB2 */, 0x65735546 /* FUSE */};
  struct statfs status {};
  if (::fstatfs(descriptor, &status) < 0) return true;
  return std::find(std::begin(kNetworks), std::end(kNetworks), static_cast<uint32_t>(status.f_type)) !=
         std::end(kNetworks);
}

}  // namespace

std::unique_ptr<Bytes> mapped_bytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset) {
  return std::make_unique<MappedBytes>(*file, dataset);
}

std::unique_ptr<Bytes> positioned_bytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset) {
  return std::make_unique<PositionedBytes>(std::move(file), dataset);
}

std::unique_ptr<Bytes> open_bytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset) {
  if (num_elements(dataset.shape) == 0) return std::make_unique<HeldBytes>(std::vector<uint8_t>{});
  switch (dataset.storage) {
    case Storage::compact:
      return std::make_unique<HeldBytes>(dataset.compact);
    case Storage::chunked:
      return chunked_bytes(std::move(file), dataset);
    case Storage::contiguous:
      break;
  }
  if (is_on_network(file->descriptor.get())) return positioned_bytes(std::move(file), dataset);
  return mapped_bytes(std::move(file), dataset);
}

void read_exactly(const GuardedFile& file, int64_t offset, int64_t size, std::byte* out, const std::string& name) {
  while (size > 0) {
    const ssize_t got = ::pread(file.descriptor.get(), out, static_cast<size_t>(size), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      throw DataError(concat(name, ": cannot be read: ", got == 0 ? "the file was cut short" : std::strerror(errno)));
    out += got;
    offset += got;
    size -= got;
  }
}

}  // namespace sft::hdf5
