// Softmax with dropout over a row of scores, and its gradient.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "trainer/models/blocks/attention_kernels.h"
#include "trainer/models/blocks/lanes.h"

namespace sft {

// What softmax needs of the call, in the type of the rows.
template <class T>
struct Softmax {
  explicit Softmax(const AttentionShape& shape)
      : of_scores(static_cast<T>(shape.scale)),
        scale(static_cast<T>(shape.rate.scale)),
        threshold(shape.rate.threshold) {}
  T of_scores, scale;  // what scores are multiplied by, and what dropout leaves
  uint32_t threshold;
};

template <class T, int Bytes>
[[gnu::always_inline]] inline T sum_of(const typename Lanes<T, Bytes>::Vector& values) {
  T sum = 0;
  for (int l = 0; l < Lanes<T, Bytes>::kCount; ++l) sum += values[l];
  return sum;
}

// scores[0 … size) become probabilities, dropped where `bits` says so; `norm` keeps the highest score and one over the
// denominator. What pads the row to whole vectors becomes as good as zero, and nobody reads it.
template <int Bytes, class T>
[[gnu::always_inline]] inline void softmax_row(const Softmax<T>& softmax, T* scores, int64_t size, const uint16_t* bits,
                                               T* norm) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  const int64_t end = padded<T, Bytes>(size);
  for (int64_t j = size; j < end; ++j) scores[j] = std::numeric_limits<T>::lowest();
  Vector highest = load<Bytes>(scores);
  for (int64_t j = kCount; j < end; j += kCount) {
    const Vector row = load<Bytes>(scores + j);
    highest = row > highest ? row : highest;
  }
  T most = highest[0];
  for (int l = 1; l < kCount; ++l) most = highest[l] > most ? highest[l] : most;

  Vector sums{};
  for (int64_t j = 0; j < end; j += kCount) {
    Vector row = (load<Bytes>(scores + j) - most) * softmax.of_scores;
    exp_negative<T, Bytes>(row);
    sums += row;
    store<Bytes>(scores + j, row);
  }
  norm[0] = most;
  norm[1] = T{1} / sum_of<T, Bytes>(sums);
  const T factor = norm[1] * softmax.scale;
  for (int64_t j = 0; j < end; j += kCount) {
    Vector row = load<Bytes>(scores + j) * factor;
    if (bits) drop<T, Bytes>(bits + j, softmax.threshold, row);
    store<Bytes>(scores + j, row);
  }
}

// From scores and the gradient of what was multiplied with the values: the dropped probabilities, and the scores'
// gradient. Its row sum, truly zero, is kept near zero by summing what is then subtracted.
template <int Bytes, class T>
[[gnu::always_inline]] inline void softmax_row_backward(const Softmax<T>& softmax, const T* norm, T* scores,
                                                        T* d_scores, int64_t size, const uint16_t* bits) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  const int64_t end = padded<T, Bytes>(size);
  for (int64_t j = size; j < end; ++j) scores[j] = std::numeric_limits<T>::lowest(), d_scores[j] = 0;
  Vector sums{};
  for (int64_t j = 0; j < end; j += kCount) {
    Vector probability = (load<Bytes>(scores + j) - norm[0]) * softmax.of_scores;
    exp_negative<T, Bytes>(probability);
    probability *= norm[1];
    Vector d = load<Bytes>(d_scores + j) * softmax.scale;
    if (bits) drop<T, Bytes>(bits + j, softmax.threshold, d);
    sums += probability * d;
    store<Bytes>(scores + j, probability);
    store<Bytes>(d_scores + j, d);
  }
  const T along = sum_of<T, Bytes>(sums);
  for (int64_t j = 0; j < end; j += kCount) {
    const Vector probability = load<Bytes>(scores + j);
    store<Bytes>(d_scores + j, probability * (load<Bytes>(d_scores + j) - along) * softmax.of_scores);
    Vector kept = probability * softmax.scale;
    if (bits) drop<T, Bytes>(bits + j, softmax.threshold, kept);
    store<Bytes>(scores + j, kept);
  }
}

}  // namespace sft
