// Rows of a head, which lie among those of other heads, packed beside one another for products (small_product.h), and
// back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sft {

// A buffer on a cache line's border.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t size) : memory_(static_cast<size_t>(size) + 64 / sizeof(T)) {
    const auto address = reinterpret_cast<uintptr_t>(memory_.data());
    data_ = memory_.data() + (64 - address % 64) % 64 / sizeof(T);
  }
  T* data() { return data_; }

 private:
  std::vector<T> memory_;
  T* data_;
};

// to [rows, padded width] = from [rows, width], zeros behind.
template <class T>
inline void pack(const T* from, int64_t from_row, int64_t rows, int64_t width, T* to, int64_t to_row) {
  for (int64_t r = 0; r < rows; ++r) {
    T* __restrict row = to + r * to_row;
    for (int64_t c = 0; c < width; ++c) row[c] = from[r * from_row + c];
    for (int64_t c = width; c < to_row; ++c) row[c] = 0;
  }
}

// to [width, padded rows] = the transpose of from [rows, width], zeros behind.
template <class T>
inline void pack_transposed(const T* from, int64_t from_row, int64_t rows, int64_t width, T* to, int64_t to_row) {
  for (int64_t c = 0; c < width; ++c) {
    T* __restrict row = to + c * to_row;
    for (int64_t r = 0; r < rows; ++r) row[r] = from[r * from_row + c];
    for (int64_t r = rows; r < to_row; ++r) row[r] = 0;
  }
}

template <class T>
inline void unpack(const T* from, int64_t from_row, int64_t rows, int64_t width, T* to, int64_t to_row) {
  for (int64_t r = 0; r < rows; ++r) {
    T* __restrict row = to + r * to_row;
    for (int64_t c = 0; c < width; ++c) row[c] = from[r * from_row + c];
  }
}

// The same, added to what is there.
template <class T>
inline void unpack_adding(const T* from, int64_t from_row, int64_t rows, int64_t width, T* to, int64_t to_row) {
  for (int64_t r = 0; r < rows; ++r) {
    T* __restrict row = to + r * to_row;
    for (int64_t c = 0; c < width; ++c) row[c] += from[r * from_row + c];
  }
}

template <class T>
inline void clear(T* to, int64_t to_row, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r) std::fill_n(to + r * to_row, width, T{});
}

}  // namespace sft
