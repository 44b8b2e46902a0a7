// A dataset kept in chunks, read through a cache of whole chunks: in order about as fast as zlib, in
// random order as slow as a chunk a read.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>
#include <list>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <unordered_map>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/bytes.h"
#include "data/hdf5/filters.h"

namespace sft::hdf5 {
namespace {

constexpr int64_t kCacheBytes = int64_t{32} << 20;

using Content = std::shared_ptr<const std::vector<std::byte>>;

class ChunkedBytes : public Bytes {
 public:
  ChunkedBytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset)
      : file_(std::move(file)), dataset_(dataset), name_(file_->name_of(dataset.name)), width_(dataset.type.bytes) {
    const std::vector<int64_t>&shape = dataset.shape, &chunk = dataset.chunk_shape;
    const size_t rank = shape.size();
    for (size_t d = 0; d < rank; ++d) chunks_along_.push_back((shape[d] + chunk[d] - 1) / chunk[d]);
    for (const Chunk& stored : dataset_.chunks) {
      int64_t index = 0;
      for (size_t d = 0; d < rank; ++d) index = index * chunks_along_[d] + stored.origin[d] / chunk[d];
      table_[index] = &stored;
    }
    while (cut_ > 0 && chunk[cut_] == shape[cut_]) --cut_;
    for (size_t d = cut_ + 1; d < rank; ++d) tail_ *= shape[d];
    // A pass over the rows must not decompress a chunk twice.
    const int64_t across =
        std::accumulate(chunks_along_.begin() + 1, chunks_along_.end(), int64_t{1}, std::multiplies<>());
    most_cached_ = static_cast<size_t>(std::max(kCacheBytes / chunk_bytes(), across + 1));
  }

  int64_t size() const override { return num_elements(dataset_.shape) * width_; }

  void read(int64_t at, int64_t size, std::byte* out) const override {
    assert(at >= 0 && size >= 0 && at + size <= this->size());
    while (size > 0) {
      const Place place = place_of(at / width_);
      const int64_t in_element = at % width_, taken = std::min(place.run * width_ - in_element, size);
      const Content chunk = content(place.chunk);
      std::memcpy(out, chunk->data() + place.in_chunk * width_ + in_element, static_cast<size_t>(taken));
      out += taken;
      at += taken;
      size -= taken;
    }
  }

 private:
  // Where an element is, and how many from there on lie side by side in its chunk too.
  struct Place {
    int64_t chunk = 0, in_chunk = 0, run = 0;
  };

  Place place_of(int64_t element) const {
    const std::vector<int64_t>&shape = dataset_.shape, &chunk = dataset_.chunk_shape;
    Place place;
    int64_t left = element, chunk_stride = 1, index_stride = 1;
    for (size_t d = shape.size(); d-- > 0;) {
      const int64_t at = left % shape[d], in_chunk = at % chunk[d];
      left /= shape[d];
      place.in_chunk += in_chunk * chunk_stride;
      place.chunk += at / chunk[d] * index_stride;
      chunk_stride *= chunk[d];
      index_stride *= chunks_along_[d];
      if (d == cut_) place.run = std::min(chunk[d] - in_chunk, shape[d] - at) * tail_ - element % tail_;
    }
    return place;
  }

  int64_t chunk_bytes() const { return num_elements(dataset_.chunk_shape) * width_; }

  // Decompressed outside the lock; two threads may do the same chunk, and one result is kept.
  Content content(int64_t index) const {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = cache_.find(index); found != cache_.end()) {
        recent_.splice(recent_.begin(), recent_, found->second.place);
        return found->second.content;
      }
    }
    Content made = std::make_shared<const std::vector<std::byte>>(load(index));
    const std::lock_guard lock(mutex_);
    if (cache_.count(index) == 0) {
      recent_.push_front(index);
      cache_[index] = {made, recent_.begin()};
      if (cache_.size() > most_cached_) {
        cache_.erase(recent_.back());
        recent_.pop_back();
      }
    }
    return made;
  }

  std::vector<std::byte> load(int64_t index) const {
    const auto size = static_cast<size_t>(chunk_bytes());
    const auto found = table_.find(index);
    if (found == table_.end()) return filled(size);
    const Chunk& chunk = *found->second;
    std::vector<std::byte> stored(static_cast<size_t>(chunk.bytes));
    read_exactly(*file_, chunk.offset, chunk.bytes, stored.data(), name_);
    try {
      return unfiltered(std::move(stored), dataset_, chunk, size);
    } catch (const std::runtime_error& error) {
      throw DataError(concat(name_, ", rows from ", chunk.origin[0], ": ", error.what()));
    }
  }

  // A chunk that was never written holds the fill value.
  std::vector<std::byte> filled(size_t size) const {
    std::vector<std::byte> out(size);
    const size_t width = dataset_.fill.size();
    for (size_t at = 0; width > 0 && at + width <= size; at += width)
      std::memcpy(out.data() + at, dataset_.fill.data(), width);
    return out;
  }

  struct Cached {
    Content content;
    std::list<int64_t>::iterator place;
  };

  std::shared_ptr<const GuardedFile> file_;
  const DatasetLayout dataset_;
  std::string name_;
  int64_t width_;
  std::vector<int64_t> chunks_along_;       // each dimension
  size_t cut_ = dataset_.shape.size() - 1;  // the last dimension that chunks cut
  int64_t tail_ = 1;                        // elements of the dimensions behind it
  std::unordered_map<int64_t, const Chunk*> table_;
  size_t most_cached_;
  mutable std::mutex mutex_;
  mutable std::list<int64_t> recent_;  // latest first
  mutable std::unordered_map<int64_t, Cached> cache_;
};

}  // namespace

std::unique_ptr<Bytes> chunked_bytes(std::shared_ptr<const GuardedFile> file, const DatasetLayout& dataset) {
  return std::make_unique<ChunkedBytes>(std::move(file), dataset);
}

}  // namespace sft::hdf5
