// A dataset kept in chunks, read through a cache of whole chunks: in order about as fast as zlib, in
// random order as slow as a chunk a read.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <list>
#include <mutex>
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
    const size_t rank = dataset.shape.size();
    if (rank < 1 || rank > 2)
      throw DataError(concat(name_, ": chunks of ", rank, " dimensions are not read; 1 or 2 are"));
    // One dimension is a matrix of one column.
    rows_ = dataset.shape[0];
    columns_ = rank == 2 ? dataset.shape[1] : 1;
    chunk_rows_ = dataset.chunk_shape[0];
    chunk_columns_ = rank == 2 ? dataset.chunk_shape[1] : 1;
    chunks_across_ = (columns_ + chunk_columns_ - 1) / chunk_columns_;
    for (const Chunk& chunk : dataset_.chunks)
      table_[chunk.origin[0] / chunk_rows_ * chunks_across_ + (rank == 2 ? chunk.origin[1] / chunk_columns_ : 0)] =
          &chunk;
    // A pass over the rows must not decompress a chunk twice.
    most_cached_ = static_cast<size_t>(std::max(kCacheBytes / chunk_bytes(), chunks_across_ + 1));
  }

  int64_t size() const override { return rows_ * columns_ * width_; }

  void read(int64_t at, int64_t size, std::byte* out) const override {
    assert(at >= 0 && size >= 0 && at + size <= this->size());
    const int64_t row_bytes = columns_ * width_, chunk_row_bytes = chunk_columns_ * width_;
    while (size > 0) {
      // The longest run inside one chunk: down its rows where it spans all columns, else along one row.
      const int64_t row = at / row_bytes, in_row = at % row_bytes;
      const int64_t across = in_row / chunk_row_bytes;
      const Content chunk = content(row / chunk_rows_ * chunks_across_ + across);
      const int64_t in_chunk = row % chunk_rows_ * chunk_row_bytes + in_row % chunk_row_bytes;
      const int64_t run = chunk_columns_ == columns_
                              ? chunk_bytes() - in_chunk
                              : std::min(chunk_row_bytes - in_row % chunk_row_bytes, row_bytes - in_row);
      const int64_t taken = std::min(run, size);
      std::memcpy(out, chunk->data() + in_chunk, static_cast<size_t>(taken));
      out += taken;
      at += taken;
      size -= taken;
    }
  }

 private:
  int64_t chunk_bytes() const { return chunk_rows_ * chunk_columns_ * width_; }

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
  int64_t width_, rows_, columns_, chunk_rows_, chunk_columns_, chunks_across_;
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
