// Products of the small matrices that attention is made of, where a library call costs more than the work.
// Registers hold a tile of C, some rows by two vectors; B's rows are padded to whole vectors.
#pragma once

#include <cstdint>
#include <cstring>

#include "trainer/models/blocks/lanes.h"

namespace sft {

// A by element: A(m, k) = at[m · row + k · column], so that a transpose costs nothing.
template <class T>
struct Strided {
  const T* at;
  int64_t row, column;
};

// Rows of a tile: its sums, a row of B and an element of A fit the 32 registers of AVX-512 or the 16 of others.
template <int Bytes>
constexpr int64_t kTileRows = Bytes == 64 ? 8 : 6;

template <int Bytes, size_t Rows, size_t Vectors, class T>
[[gnu::always_inline]] inline void product_tile(int64_t depth, Strided<T> a, const T* b, int64_t b_row, T* c,
                                                int64_t c_row) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  Vector sum[Rows][Vectors];
  for (size_t m = 0; m < Rows; ++m) {
    for (size_t v = 0; v < Vectors; ++v) sum[m][v] = Vector{};
  }
  for (int64_t k = 0; k < depth; ++k) {
    Vector right[Vectors];
    for (size_t v = 0; v < Vectors; ++v) right[v] = load<Bytes>(b + k * b_row + static_cast<int64_t>(v) * kCount);
    for (size_t m = 0; m < Rows; ++m) {
      const T left = a.at[static_cast<int64_t>(m) * a.row + k * a.column];
      for (size_t v = 0; v < Vectors; ++v) sum[m][v] += left * right[v];
    }
  }
  for (size_t m = 0; m < Rows; ++m) {
    for (size_t v = 0; v < Vectors; ++v) {
      store<Bytes>(c + static_cast<int64_t>(m) * c_row + static_cast<int64_t>(v) * kCount, sum[m][v]);
    }
  }
}

// Rows at a time, and what is left by half as many, down to one.
template <int Bytes, int64_t Rows, size_t Vectors, class T>
[[gnu::always_inline]] inline void product_columns(int64_t rows, int64_t depth, Strided<T> a, const T* b, int64_t b_row,
                                                   T* c, int64_t c_row) {
  int64_t m = 0;
  for (; m + Rows <= rows; m += Rows) {
    product_tile<Bytes, static_cast<size_t>(Rows), Vectors>(depth, {a.at + m * a.row, a.row, a.column}, b, b_row,
                                                            c + m * c_row, c_row);
  }
  if constexpr (Rows > 1) {
    product_columns<Bytes, Rows / 2, Vectors>(rows - m, depth, {a.at + m * a.row, a.row, a.column}, b, b_row,
                                              c + m * c_row, c_row);
  }
}

// C [rows, columns] = A [rows, depth] · B [depth, columns]; columns a multiple of Lanes<T, Bytes>::kCount.
template <int Bytes, class T>
[[gnu::always_inline]] inline void product(int64_t rows, int64_t columns, int64_t depth, Strided<T> a, const T* b,
                                           int64_t b_row, T* c, int64_t c_row) {
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  int64_t n = 0;
  for (; n + 2 * kCount <= columns; n += 2 * kCount) {
    product_columns<Bytes, kTileRows<Bytes>, 2>(rows, depth, a, b + n, b_row, c + n, c_row);
  }
  if (n < columns) {
    product_columns<Bytes, kTileRows<Bytes>, 1>(rows, depth, a, b + n, b_row, c + n, c_row);
  }
}

}  // namespace sft
