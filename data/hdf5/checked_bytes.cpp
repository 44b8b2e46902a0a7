#include <algorithm>
#include <atomic>
#include <cassert>
#include <mutex>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/bytes.h"
#include "data/hdf5/format.h"

namespace sft::hdf5 {
namespace {

class CheckedBytes : public Bytes {
 public:
  CheckedBytes(std::unique_ptr<Bytes> inner, std::vector<uint32_t> checksums, std::string name)
      : inner_(std::move(inner)), checksums_(std::move(checksums)), name_(std::move(name)), good_(checksums_.size()) {
    assert(static_cast<int64_t>(checksums_.size()) * format::kBlockBytes >= inner_->size());
  }

  int64_t size() const override { return inner_->size(); }

  void read(int64_t at, int64_t size, std::byte* out) const override {
    if (size == 0) return;
    for (int64_t block = at / format::kBlockBytes; block <= (at + size - 1) / format::kBlockBytes; ++block) {
      if (!good_[static_cast<size_t>(block)].load(std::memory_order_acquire)) check(block);
    }
    inner_->read(at, size, out);
  }

  bool is_in_memory() const override { return inner_->is_in_memory(); }
  void expect(int64_t at, int64_t size) const override { inner_->expect(at, size); }

 private:
  // One at a time, so that a block is read once however many threads meet at it.
  void check(int64_t block) const {
    const std::lock_guard lock(mutex_);
    std::atomic<bool>& good = good_[static_cast<size_t>(block)];
    if (good.load(std::memory_order_relaxed)) return;
    const int64_t start = block * format::kBlockBytes;
    const int64_t size = std::min(format::kBlockBytes, inner_->size() - start);
    buffer_.resize(format::kBlockBytes);
    inner_->read(start, size, buffer_.data());
    const uint32_t wanted = checksums_[static_cast<size_t>(block)];
    const uint32_t found = crc32c(buffer_.data(), static_cast<size_t>(size));
    if (found != wanted)
      throw DataError(concat(name_, ", block ", block, " (its bytes ", start, " to ", start + size,
                             "): damaged, checksum ", std::hex, found, ", stored ", wanted,
                             "; prepare the file again"));
    good.store(true, std::memory_order_release);
  }

  std::unique_ptr<Bytes> inner_;
  const std::vector<uint32_t> checksums_;
  const std::string name_;
  mutable std::mutex mutex_;
  mutable std::vector<std::byte> buffer_;
  mutable std::vector<std::atomic<bool>> good_;
};

}  // namespace

std::unique_ptr<Bytes> checked_bytes(std::unique_ptr<Bytes> inner, std::vector<uint32_t> checksums, std::string name) {
  return std::make_unique<CheckedBytes>(std::move(inner), std::move(checksums), std::move(name));
}

}  // namespace sft::hdf5
