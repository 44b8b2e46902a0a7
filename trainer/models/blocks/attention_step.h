// The two products of one query with a sequence's keys and values where they are, as in generation: to pack them for
// products of many rows, at each step, would cost more than the products.
#pragma once

#include <cstdint>

#include "trainer/models/blocks/lanes.h"

namespace sft {

// scores[j] = q · k_j of `count` keys of `width`, `row` elements from one to the next.
template <int Bytes, class T>
[[gnu::always_inline]] inline void products_with_keys(const T* q, const T* k, int64_t row, int64_t count, int64_t width,
                                                      T* scores) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  for (int64_t j = 0; j < count; ++j, k += row) {
    Vector sums{};
    int64_t c = 0;
    for (; c + kCount <= width; c += kCount) sums += load<Bytes>(q + c) * load<Bytes>(k + c);
    T sum = 0;
    for (int64_t lane = 0; lane < kCount; ++lane) sum += sums[lane];
    for (; c < width; ++c) sum += q[c] * k[c];
    scores[j] = sum;
  }
}

// Columns c … c + Vectors · lanes of out = Σ_j probabilities[j] · v_j.
template <int Bytes, size_t Vectors, class T>
[[gnu::always_inline]] inline void columns_of_values(const T* probabilities, const T* v, int64_t row, int64_t count,
                                                     T* out) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  Vector sums[Vectors] = {};
  for (int64_t j = 0; j < count; ++j, v += row)
    for (size_t i = 0; i < Vectors; ++i)
      sums[i] += probabilities[j] * load<Bytes>(v + static_cast<int64_t>(i) * kCount);
  for (size_t i = 0; i < Vectors; ++i) store<Bytes>(out + static_cast<int64_t>(i) * kCount, sums[i]);
}

// out [width] = Σ_j probabilities[j] · v_j.
template <int Bytes, class T>
[[gnu::always_inline]] inline void weighted_values(const T* probabilities, const T* v, int64_t row, int64_t count,
                                                   int64_t width, T* out) {
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  int64_t c = 0;
  for (; c + 4 * kCount <= width; c += 4 * kCount)
    columns_of_values<Bytes, 4>(probabilities, v + c, row, count, out + c);
  for (; c + kCount <= width; c += kCount) columns_of_values<Bytes, 1>(probabilities, v + c, row, count, out + c);
  for (; c < width; ++c) {
    T sum = 0;
    for (int64_t j = 0; j < count; ++j) sum += probabilities[j] * v[j * row + c];
    out[c] = sum;
  }
}

}  // namespace sft
