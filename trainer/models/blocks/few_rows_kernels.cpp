#include "trainer/models/blocks/few_rows_kernels.h"

#include <bit>

#include "trainer/models/blocks/lanes.h"
#include "trainer/models/blocks/multiversion.h"

namespace sft {
namespace {

constexpr int64_t kTile = 4;  // rows of x
// Rows of W: with one of x and all sums they fit the 32 registers of AVX-512, or the 16 of others.
template <int Bytes>
constexpr size_t kWeights = Bytes == 64 ? 4 : 2;

float widened(uint16_t half) { return std::bit_cast<float>(static_cast<uint32_t>(half) << 16); }

template <int Bytes>
[[gnu::always_inline]] inline typename Lanes<float, Bytes>::Vector load_wide(const uint16_t* at) {
  using Of = Lanes<float, Bytes>;
  typename Of::Bits halves;
  std::memcpy(&halves, at, sizeof halves);
  return reinterpret_cast<typename Of::Vector>(__builtin_convertvector(halves, typename Of::Integers) << 16);
}

// y of Rows rows from `m` on, by Weights rows of W from `n` on.
template <int Bytes, size_t Rows, size_t Weights>
[[gnu::always_inline]] inline void tile(const FewRows& work, int64_t m, int64_t n) {
  using Vector = typename Lanes<float, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<float, Bytes>::kCount;
  const auto x_row = [&](size_t i) { return work.x + (m + static_cast<int64_t>(i)) * work.in; };
  const auto weight_row = [&](size_t j) { return work.weight + (n + static_cast<int64_t>(j)) * work.in; };
  Vector sums[Rows][Weights] = {};
  int64_t k = 0;
  for (; k + kCount <= work.in; k += kCount) {
    Vector wide[Weights];
    for (size_t j = 0; j < Weights; ++j) wide[j] = load_wide<Bytes>(weight_row(j) + k);
    for (size_t i = 0; i < Rows; ++i) {
      const Vector row = load<Bytes>(x_row(i) + k);
      for (size_t j = 0; j < Weights; ++j) sums[i][j] += row * wide[j];
    }
  }
  for (size_t i = 0; i < Rows; ++i)
    for (size_t j = 0; j < Weights; ++j) {
      float sum = 0;
      for (int64_t lane = 0; lane < kCount; ++lane) sum += sums[i][j][lane];
      for (int64_t rest = k; rest < work.in; ++rest) sum += x_row(i)[rest] * widened(weight_row(j)[rest]);
      work.y[(m + static_cast<int64_t>(i)) * work.out + n + static_cast<int64_t>(j)] = sum;
    }
}

template <int Bytes, size_t Weights>
[[gnu::always_inline]] inline void all_rows(const FewRows& work, int64_t n) {
  int64_t m = 0;
  for (; m + kTile <= work.num_rows; m += kTile) tile<Bytes, static_cast<size_t>(kTile), Weights>(work, m, n);
  for (; m < work.num_rows; ++m) tile<Bytes, 1, Weights>(work, m, n);
}

}  // namespace

void few_rows_product(const FewRows& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() {
    constexpr auto kStep = static_cast<int64_t>(kWeights<Bytes>);
    int64_t n = begin;
    for (; n + kStep <= end; n += kStep) all_rows<Bytes, kWeights<Bytes>>(work, n);
    for (; n < end; ++n) all_rows<Bytes, 1>(work, n);
  });
}

}  // namespace sft
