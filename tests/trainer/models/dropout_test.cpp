// Keyed dropout: its rules, its statistics, and the two ways of drawing one mask.
#include "trainer/models/blocks/dropout.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "trainer/models/blocks/keep_bits.h"
#include "trainer/models/blocks/multiversion.h"
#include "trainer/models/keep_mask.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::drawn;
using testing::keep_mask;

at::Tensor ids(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }

// 1 where an element of [rows, width] stays.
at::Tensor mask(const DropoutKey& key, const at::Tensor& draws, const at::Tensor& positions, int64_t width, double p) {
  return keyed_dropout(at::ones({draws.size(0), width}, at::kDouble), key, draws, positions, p).ne(0).to(at::kDouble);
}

// Within 4 standard deviations of a correlation of zero. Two masks of one key would give 1.
void expect_independent(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a - a.mean(), y = b - b.mean();
  const double correlation = ((x * y).sum() / (x.norm() * y.norm())).item<double>();
  EXPECT_LT(std::abs(correlation), 4.0 / std::sqrt(static_cast<double>(a.numel())));
}

template <int Bytes>
void expect_philox() {
  const DropoutKey key{{0x12345678u, 0x9ABCDEF0u}};
  for (const int64_t first : {0, 1, 5}) {
    std::vector<uint16_t> bits(3 * kBitsGroup);
    draw_bits<Bytes>(key, {(int64_t{5} << 32) + 7, 11}, first, 3, bits.data());
    for (uint32_t i = 0; i < bits.size(); ++i) {
      const uint32_t e = static_cast<uint32_t>(first) * 128 + i, block = e / 128 * 16 + e % 32 / 2;
      const uint32_t word = philox({block, 11, 7, 5}, key.words)[e % 128 / 32];
      ASSERT_EQ(bits[i], static_cast<uint16_t>(e % 2 == 0 ? word : word >> 16)) << e;
    }
  }
}

TEST(KeyedDropout, DrawsThePhiloxOfItsKey) {
  expect_philox<16>();
#if defined(__x86_64__)
  if (has_avx2()) expect_philox<32>();
  if (has_avx512()) expect_philox<64>();
#endif
}

TEST(KeyedDropout, TensorOperatorsDrawTheSameMask) {
  const DropoutKey key = dropout_key(3, "output", 2);
  const at::Tensor draws = ids({0, 1, (int64_t{9} << 32) + 4, 0xFFFFFFFF}), positions = ids({0, 511, 3, 2});
  for (const int64_t width : {1, 20, 128, 384, 391}) {
    const at::Tensor x = drawn({4, width}, 1);
    const at::Tensor expected = x * keep_mask({key, 0.37}, draws, positions, width, at::kDouble);
    EXPECT_TRUE(keyed_dropout(x, key, draws, positions, 0.37).equal(expected)) << width;
  }
}

TEST(KeyedDropout, MaskFollowsARowWhereverItIsPacked) {
  const DropoutKey key = dropout_key(1, "embeddings");
  const at::Tensor draws = ids({4, 4, 9, 9, 9, 2}), positions = ids({0, 1, 0, 1, 2, 0}),
                   order = ids({5, 2, 0, 4, 1, 3});
  const at::Tensor x = drawn({6, 100}, 2);
  const at::Tensor here = keyed_dropout(x, key, draws, positions, 0.5).index_select(0, order);
  const at::Tensor there =
      keyed_dropout(x.index_select(0, order), key, draws.index_select(0, order), positions.index_select(0, order), 0.5);
  EXPECT_TRUE(here.equal(there));
}

TEST(KeyedDropout, DropsAtItsRateAndKeepsTheMean) {
  const int64_t rows = 2000, width = 384;
  const at::Tensor draws = at::arange(rows, at::kLong), positions = at::zeros_like(draws);
  for (const double p : {0.1, 0.5, 0.9}) {
    const at::Tensor y =
        keyed_dropout(at::ones({rows, width}, at::kDouble), dropout_key(1, "output", 1), draws, positions, p);
    const double count = static_cast<double>(rows * width), kept = y.ne(0).sum().item<double>() / count;
    EXPECT_NEAR(kept, 1 - p, 4 * std::sqrt(p * (1 - p) / count));
    EXPECT_NEAR(y.max().item<double>() * (1 - p), 1.0, 1e-4);
    EXPECT_EQ(y.max().item<double>(), 65536.0 / (65536.0 - std::round(p * 65536)));
  }
}

TEST(KeyedDropout, IsIndependentBetweenDrawsPositionsPlacesBlocksAndSeeds) {
  const int64_t rows = 500, width = 256;
  const at::Tensor draws = at::arange(rows, at::kLong), positions = at::full_like(draws, 3);
  const auto with = [&](uint64_t seed, const char* place, int64_t block) {
    return mask(dropout_key(seed, place, block), draws, positions, width, 0.3);
  };
  const at::Tensor base = with(1, "output", 1);
  expect_independent(base, with(2, "output", 1));
  expect_independent(base, with(1, "embeddings", 1));
  expect_independent(base, with(1, "output", 2));
  expect_independent(base, mask(dropout_key(1, "output", 1), draws + rows, positions, width, 0.3));
  expect_independent(base, mask(dropout_key(1, "output", 1), draws, positions + 1, width, 0.3));
  expect_independent(base.narrow(0, 0, rows - 1), base.narrow(0, 1, rows - 1));
  expect_independent(base.narrow(1, 0, width - 1), base.narrow(1, 1, width - 1));
  expect_independent(base.narrow(1, 0, width / 2), base.narrow(1, width / 2, width / 2));
}

TEST(KeyedDropout, BackwardDropsWhatForwardDropped) {
  const DropoutKey key = dropout_key(1, "head");
  const at::Tensor draws = ids({3, 1, 4}), positions = ids({0, 0, 0});
  const at::Tensor x = at::ones({3, 50}, at::kDouble).set_requires_grad(true);
  const at::Tensor y = keyed_dropout(x, key, draws, positions, 0.4);
  y.sum().backward();
  EXPECT_TRUE(x.grad().equal(y.detach()));
}

TEST(KeyedDropout, RateZeroReturnsItsInput) {
  const at::Tensor x = drawn({2, 5}, 1);
  EXPECT_TRUE(keyed_dropout(x, {}, ids({0, 1}), ids({0, 0}), 0.0).is_same(x));
}

TEST(KeyedDropout, FloatAndDoubleDropTheSameElements) {
  const DropoutKey key = dropout_key(1, "head");
  const at::Tensor draws = ids({3, 1}), positions = ids({0, 5}), x = drawn({2, 77}, 1).abs() + 1;
  const at::Tensor in_double = keyed_dropout(x, key, draws, positions, 0.4),
                   in_float = keyed_dropout(x.to(at::kFloat), key, draws, positions, 0.4);
  EXPECT_TRUE(in_double.ne(0).equal(in_float.ne(0)));
}

}  // namespace
}  // namespace sft
