// Products are cut along `in` too: a part's sum begins with zero and is added to those before it. So sums are shorter,
// and the numbers that a tile reads again stand in the nearest cache.
#include "trainer/models/blocks/few_rows_kernels.h"

#include <algorithm>
#include <type_traits>

#include "trainer/models/blocks/multiversion.h"
#include "trainer/models/blocks/packed_rows.h"
#include "trainer/models/blocks/widened.h"

namespace sft {
namespace {

constexpr int64_t kDepth = 256;  // of `in` at a time
constexpr int64_t kLine = 64;    // bytes

// Rows of x, turned: [depth, wide], some columns of them.
struct Turned {
  const float* at;
  int64_t wide, depth;
};

// Vectors of rows of x beside one another, and rows of W: their sums, a vector of x and a number of W in all lanes fit
// the 32 registers of AVX-512, or the 16 of others.
template <int Bytes>
constexpr size_t kMostVectors = Bytes == 64 ? 4 : 2;
template <int Bytes, size_t MostVectors>
constexpr size_t kWeights = (Bytes == 64 ? 24 : 12) / (MostVectors == 1 ? 2 : MostVectors);

// sums [Weights, kMostFewRows] += rows of W · x, a number of W at a time over all rows of x. W's rows from `next` on
// come meanwhile; null: they are not wanted.
template <int Bytes, size_t Weights, size_t Vectors>
[[gnu::always_inline]] inline void tile(const float* weight, int64_t weight_row, const float* next, const Turned& x,
                                        float* sums) {
  using Vector = typename Lanes<float, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<float, Bytes>::kCount, kFetched = kLine / static_cast<int64_t>(sizeof(float));
  Vector sum[Weights][Vectors] = {};
  const auto step = [&](int64_t k) __attribute__((always_inline)) {
    Vector rows[Vectors];
    for (size_t v = 0; v < Vectors; ++v) rows[v] = load<Bytes>(x.at + k * x.wide + static_cast<int64_t>(v) * kCount);
    for (size_t j = 0; j < Weights; ++j) {
      const float number = weight[static_cast<int64_t>(j) * weight_row + k];
      for (size_t v = 0; v < Vectors; ++v) sum[j][v] += number * rows[v];
    }
  };
  int64_t k = 0;
  for (; k + kFetched <= x.depth; k += kFetched) {
    if (next != nullptr)
      for (size_t j = 0; j < Weights; ++j) fetch(next + static_cast<int64_t>(j) * weight_row + k);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kFetched; ++i) step(k + i);
  }
  for (; k < x.depth; ++k) step(k);
  for (size_t j = 0; j < Weights; ++j)
    for (size_t v = 0; v < Vectors; ++v) {
      float* at = sums + static_cast<int64_t>(j) * kMostFewRows + static_cast<int64_t>(v) * kCount;
      store<Bytes>(at, load<Bytes>(at) + sum[j][v]);
    }
}

// Rows of W, each with `depth` numbers, widened one behind the other.
template <int Bytes, size_t Weights, class W>
[[gnu::always_inline]] inline void widen(const W* weight, int64_t in, int64_t depth, float* wide) {
  constexpr int64_t kCount = Lanes<float, Bytes>::kCount;
  for (size_t j = 0; j < Weights; ++j) {
    const W* row = weight + static_cast<int64_t>(j) * in;
    float* to = wide + static_cast<int64_t>(j) * kDepth;
    int64_t k = 0;
    for (; k + kCount <= depth; k += kCount) {
      typename Lanes<float, Bytes>::Vector numbers;
      load_wide<Bytes>(row + k, numbers);
      fetch(row + static_cast<int64_t>(Weights) * in + k);
      store<Bytes>(to + k, numbers);
    }
    for (; k < depth; ++k) to[k] = widened(row[k]);
  }
}

// y of all rows by Weights rows of W from `n` on, MostVectors of rows at a time.
template <int Bytes, size_t MostVectors, size_t Weights, class W>
[[gnu::always_inline]] inline void all_rows(const FewRows<W>& work, int64_t n) {
  constexpr bool kWidens = !std::is_same_v<W, float>;
  constexpr int64_t kCount = Lanes<float, Bytes>::kCount, kAtOnce = static_cast<int64_t>(MostVectors) * kCount;
  const int64_t wide = wide_rows(work.num_rows);
  alignas(kLine) float sums[Weights * static_cast<size_t>(kMostFewRows)] = {};
  alignas(kLine) float numbers[kWidens ? Weights * static_cast<size_t>(kDepth) : 1];
  for (int64_t first = 0; first < work.in; first += kDepth) {
    const int64_t depth = std::min(kDepth, work.in - first);
    const W* weight = work.weight + n * work.in + first;
    if constexpr (kWidens) widen<Bytes, Weights>(weight, work.in, depth, numbers);
    for (int64_t m = 0; m < work.num_rows; m += kAtOnce) {
      const Turned x{work.x + first * wide + m, wide, depth};
      if constexpr (kWidens) {
        tile<Bytes, Weights, MostVectors>(numbers, kDepth, nullptr, x, sums + m);
      } else {
        const W* next = m == 0 ? weight + static_cast<int64_t>(Weights) * work.in : nullptr;
        tile<Bytes, Weights, MostVectors>(weight, work.in, next, x, sums + m);
      }
    }
  }
  for (int64_t m = 0; m < work.num_rows; ++m)
    for (size_t j = 0; j < Weights; ++j)
      work.y[m * work.out + n + static_cast<int64_t>(j)] = sums[static_cast<int64_t>(j) * kMostFewRows + m];
}

template <int Bytes, size_t MostVectors, class W>
[[gnu::always_inline]] inline void all_weights(const FewRows<W>& work, int64_t begin, int64_t end) {
  constexpr auto kStep = static_cast<int64_t>(kWeights<Bytes, MostVectors>);
  int64_t n = begin;
  for (; n + kStep <= end; n += kStep) all_rows<Bytes, MostVectors, kWeights<Bytes, MostVectors>>(work, n);
  for (; n < end; ++n) all_rows<Bytes, MostVectors, 1>(work, n);
}

// So few rows leave lanes of a vector of rows empty: these sum along `in` instead. y of Rows rows from `m` on, by
// Weights rows of W from `n` on.
template <int Bytes, size_t Rows, size_t Weights, class W>
[[gnu::always_inline]] inline void dots(const FewRows<W>& work, int64_t m, int64_t n) {
  using Vector = typename Lanes<float, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<float, Bytes>::kCount;
  const float* x = work.x + m * work.in;
  const W* weight = work.weight + n * work.in;
  Vector sums[Rows][Weights] = {};
  int64_t k = 0;
  for (; k + kCount <= work.in; k += kCount) {
    Vector numbers[Weights];
    for (size_t j = 0; j < Weights; ++j) {
      const W* at = weight + static_cast<int64_t>(j) * work.in + k;
      load_wide<Bytes>(at, numbers[j]);
      fetch(at + static_cast<int64_t>(Weights) * work.in);
    }
    for (size_t i = 0; i < Rows; ++i) {
      const Vector row = load<Bytes>(x + static_cast<int64_t>(i) * work.in + k);
      for (size_t j = 0; j < Weights; ++j) sums[i][j] += row * numbers[j];
    }
  }
  if (k < work.in) {  // a last vector, filled up with zeros
    Vector numbers[Weights];
    for (size_t j = 0; j < Weights; ++j) {
      alignas(kLine) float wide[static_cast<size_t>(kCount)] = {};
      for (int64_t rest = k; rest < work.in; ++rest)
        wide[rest - k] = widened(weight[static_cast<int64_t>(j) * work.in + rest]);
      numbers[j] = load<Bytes>(wide);
    }
    for (size_t i = 0; i < Rows; ++i) {
      alignas(kLine) float row[static_cast<size_t>(kCount)] = {};
      std::copy_n(x + static_cast<int64_t>(i) * work.in + k, work.in - k, row);
      for (size_t j = 0; j < Weights; ++j) sums[i][j] += load<Bytes>(row) * numbers[j];
    }
  }
  for (size_t i = 0; i < Rows; ++i)
    for (size_t j = 0; j < Weights; ++j) {
      const auto row = static_cast<int64_t>(i), column = static_cast<int64_t>(j);
      float sum = 0;
      for (int64_t lane = 0; lane < kCount; ++lane) sum += sums[i][j][lane];
      work.y[(m + row) * work.out + n + column] = sum;
    }
}

// Rows from `m` on, as many at a time as the template says, and what is left by half as many.
template <int Bytes, size_t Rows, size_t Weights, class W>
[[gnu::always_inline]] inline void dots_of_rows(const FewRows<W>& work, int64_t m, int64_t n) {
  for (; m + static_cast<int64_t>(Rows) <= work.num_rows; m += static_cast<int64_t>(Rows))
    dots<Bytes, Rows, Weights>(work, m, n);
  if constexpr (Rows > 1) dots_of_rows<Bytes, Rows / 2, Weights>(work, m, n);
}

template <int Bytes, class W>
[[gnu::always_inline]] inline void all_dots(const FewRows<W>& work, int64_t begin, int64_t end) {
  constexpr size_t kAtOnce = Bytes == 64 ? 4 : 2;
  int64_t n = begin;
  for (; n + static_cast<int64_t>(kAtOnce) <= end; n += static_cast<int64_t>(kAtOnce))
    dots_of_rows<Bytes, 4, kAtOnce>(work, 0, n);
  for (; n < end; ++n) dots_of_rows<Bytes, 4, 1>(work, 0, n);
}

template <class W>
void by_tiles(const FewRows<W>& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() {
    constexpr int64_t kCount = Lanes<float, Bytes>::kCount;
    if (work.num_rows <= kMostUnturned) return all_dots<Bytes>(work, begin, end);
    if (work.num_rows <= kCount) return all_weights<Bytes, 1>(work, begin, end);
    if (kMostVectors<Bytes> == 2 || work.num_rows <= 2 * kCount) return all_weights<Bytes, 2>(work, begin, end);
    if (work.num_rows <= 3 * kCount) return all_weights<Bytes, 3>(work, begin, end);
    all_weights<Bytes, 4>(work, begin, end);
  });
}

}  // namespace

int64_t wide_rows(int64_t rows) { return padded<float, 64>(rows); }

void turn_rows(const float* x, int64_t rows, int64_t in, float* turned) {
  pack_transposed(x, in, rows, in, turned, wide_rows(rows));
}

void few_rows_product(const FewRows<float>& work, int64_t begin, int64_t end) { by_tiles(work, begin, end); }
void few_rows_product(const FewRows<BrainFloat>& work, int64_t begin, int64_t end) { by_tiles(work, begin, end); }
void few_rows_product(const FewRows<HalfFloat>& work, int64_t begin, int64_t end) { by_tiles(work, begin, end); }

}  // namespace sft
