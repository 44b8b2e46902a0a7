// Few rows x times W [in, out]: columns of W in vectors. Some rows of W are read, tile after tile, before those below
// them, so that pages of memory are few at a time; their sum begins with zero and is added to that of those above.
#include <algorithm>

#include "trainer/models/blocks/few_rows_kernels.h"
#include "trainer/models/blocks/multiversion.h"
#include "trainer/models/blocks/widened.h"

namespace sft {
namespace {

constexpr int64_t kDepthAcross = 64;  // of `in` at a time
constexpr int64_t kLine = 64;         // bytes

// Rows of x and vectors of y in a tile.
template <int Bytes, size_t Rows, size_t Vectors, bool Fetches, class W>
[[gnu::always_inline]] inline void tile_across(const FewRows<W>& work, int64_t m, int64_t n, int64_t first) {
  using Vector = typename Lanes<float, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<float, Bytes>::kCount, kColumns = static_cast<int64_t>(Vectors) * kCount;
  const int64_t depth = std::min(kDepthAcross, work.in - first);
  const float* x = work.x + m * work.in + first;
  const W* weight = work.weight + first * work.out + n;
  Vector sum[Rows][Vectors] = {};
  for (int64_t k = 0; k < depth; ++k) {
    const W* row = weight + k * work.out;
    Vector numbers[Vectors];
    for (size_t v = 0; v < Vectors; ++v) load_wide<Bytes>(row + static_cast<int64_t>(v) * kCount, numbers[v]);
    if constexpr (Fetches)
      for (int64_t at = 0; at < kColumns; at += kLine / static_cast<int64_t>(sizeof(W))) fetch(row + kColumns + at);
    for (size_t i = 0; i < Rows; ++i) {
      const float left = x[static_cast<int64_t>(i) * work.in + k];
      for (size_t v = 0; v < Vectors; ++v) sum[i][v] += left * numbers[v];
    }
  }
  for (size_t i = 0; i < Rows; ++i)
    for (size_t v = 0; v < Vectors; ++v) {
      float* y = work.y + (m + static_cast<int64_t>(i)) * work.out + n + static_cast<int64_t>(v) * kCount;
      store<Bytes>(y, first > 0 ? load<Bytes>(y) + sum[i][v] : sum[i][v]);
    }
}

template <int Bytes, size_t Rows, size_t Vectors, class W>
[[gnu::always_inline]] inline void rows_across(const FewRows<W>& work, int64_t m, int64_t n, int64_t first) {
  for (; m + static_cast<int64_t>(Rows) <= work.num_rows; m += static_cast<int64_t>(Rows)) {
    if (m == 0)
      tile_across<Bytes, Rows, Vectors, true>(work, m, n, first);
    else
      tile_across<Bytes, Rows, Vectors, false>(work, m, n, first);
  }
  if constexpr (Rows > 1) rows_across<Bytes, Rows / 2, Vectors>(work, m, n, first);
}

// The last columns, less than a vector: of a copy of their part of W that is filled up with zeros.
template <int Bytes, class W>
[[gnu::always_inline]] inline void last_columns(const FewRows<W>& work, int64_t n, int64_t count, int64_t first) {
  using Vector = typename Lanes<float, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<float, Bytes>::kCount;
  const int64_t depth = std::min(kDepthAcross, work.in - first);
  alignas(kLine) float numbers[static_cast<size_t>(kDepthAcross * kCount)] = {};
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t c = 0; c < count; ++c) numbers[k * kCount + c] = widened(work.weight[(first + k) * work.out + n + c]);
  for (int64_t m = 0; m < work.num_rows; ++m) {
    Vector sum{};
    for (int64_t k = 0; k < depth; ++k) sum += work.x[m * work.in + first + k] * load<Bytes>(numbers + k * kCount);
    float* y = work.y + m * work.out + n;
    for (int64_t c = 0; c < count; ++c) y[c] = first > 0 ? y[c] + sum[c] : sum[c];
  }
}

template <class W>
void by_tiles_across(const FewRows<W>& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() {
    constexpr int64_t kCount = Lanes<float, Bytes>::kCount, kVectors = Bytes == 64 ? 3 : 2;
    constexpr size_t kRows = Bytes == 64 ? 8 : 4;
    for (int64_t first = 0; first < work.in; first += kDepthAcross) {
      int64_t n = begin;
      for (; n + kVectors * kCount <= end; n += kVectors * kCount)
        rows_across<Bytes, kRows, static_cast<size_t>(kVectors)>(work, 0, n, first);
      for (; n + kCount <= end; n += kCount) rows_across<Bytes, kRows, 1>(work, 0, n, first);
      if (n < end) last_columns<Bytes>(work, n, end - n, first);
    }
  });
}

}  // namespace

void few_rows_product_across(const FewRows<float>& work, int64_t begin, int64_t end) {
  by_tiles_across(work, begin, end);
}
void few_rows_product_across(const FewRows<BrainFloat>& work, int64_t begin, int64_t end) {
  by_tiles_across(work, begin, end);
}
void few_rows_product_across(const FewRows<HalfFloat>& work, int64_t begin, int64_t end) {
  by_tiles_across(work, begin, end);
}

}  // namespace sft
