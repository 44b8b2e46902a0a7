#include "trainer/models/blocks/token_loss_kernels.h"

#include <cmath>
#include <limits>

#include "trainer/models/blocks/lanes.h"
#include "trainer/models/blocks/multiversion.h"

namespace sft {
namespace {

template <class T>
struct Row {
  T highest, sum_of_exp, sum;  // of e^(logit − highest), of the logits
};

// Three passes over a row that is in cache. Lanes that are left over are done one by one.
template <int Bytes, class T>
[[gnu::always_inline]] inline T highest_of(const T* logits, int64_t count) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int kCount = Lanes<T, Bytes>::kCount;
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  Vector lanes = Vector{} + kLowest;
  int64_t v = 0;
  for (; v + kCount <= count; v += kCount) {
    const Vector x = load<Bytes>(logits + v);
    lanes = x > lanes ? x : lanes;
  }
  T highest = kLowest;
  for (int i = 0; i < kCount; ++i) highest = lanes[i] > highest ? lanes[i] : highest;
  for (; v < count; ++v) highest = logits[v] > highest ? logits[v] : highest;
  return highest;
}

// Leaves e^(logit − highest) in place of the logits where they are to become a gradient.
template <int Bytes, class T>
[[gnu::always_inline]] inline Row<T> sums_of(T* logits, int64_t count, T highest, bool replaces) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int kCount = Lanes<T, Bytes>::kCount;
  Vector exps{}, sums{};
  int64_t v = 0;
  for (; v + kCount <= count; v += kCount) {
    const Vector x = load<Bytes>(logits + v);
    Vector e = x - highest;
    exp_negative<T, Bytes>(e);
    exps += e;
    sums += x;
    if (replaces) store<Bytes>(logits + v, e);
  }
  Row<T> row{highest, 0, 0};
  for (int i = 0; i < kCount; ++i) row.sum_of_exp += exps[i], row.sum += sums[i];
  for (; v < count; ++v) {
    const T e = std::exp(logits[v] - highest);
    row.sum_of_exp += e;
    row.sum += logits[v];
    if (replaces) logits[v] = e;
  }
  return row;
}

template <int Bytes, class T>
[[gnu::always_inline]] inline void one_row(const TokenRows<T>& rows, int64_t r) {
  const int64_t count = rows.num_words;
  T* __restrict logits = rows.logits + r * count;
  const int64_t target = rows.targets[r];
  const bool wants_gradient = rows.factors != nullptr;
  const T highest = highest_of<Bytes>(logits, count);
  const T of_target = logits[target];
  if (rows.best != nullptr) {
    int64_t best = 0;
    while (best < count - 1 && logits[best] != highest) ++best;
    rows.best[r] = best;
  }
  const Row<T> row = sums_of<Bytes>(logits, count, highest, wants_gradient);
  const double log_sum = static_cast<double>(row.highest) + std::log(static_cast<double>(row.sum_of_exp));
  const double words = static_cast<double>(count), epsilon = rows.smoothing;
  rows.surprise[r] = log_sum - static_cast<double>(of_target);
  rows.smoothed[r] = (1 - epsilon) * rows.surprise[r] + epsilon * (log_sum - static_cast<double>(row.sum) / words);
  if (!wants_gradient) return;
  const T scale = static_cast<T>(rows.factors[r] / static_cast<double>(row.sum_of_exp));
  const T share = static_cast<T>(rows.factors[r] * epsilon / words);
  for (int64_t v = 0; v < count; ++v) logits[v] = logits[v] * scale - share;
  logits[target] -= static_cast<T>(rows.factors[r] * (1 - epsilon));
}

template <class T>
void all_rows(const TokenRows<T>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() {
    for (int64_t r = begin; r < end; ++r) one_row<Bytes>(rows, r);
  });
}

}  // namespace

void token_rows(const TokenRows<float>& rows, int64_t begin, int64_t end) { all_rows(rows, begin, end); }
void token_rows(const TokenRows<double>& rows, int64_t begin, int64_t end) { all_rows(rows, begin, end); }

}  // namespace sft
