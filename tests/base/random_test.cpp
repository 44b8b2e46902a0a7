#include "base/random.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

namespace sft {
namespace {

// The known answers that the authors publish with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  using Counter = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(DeriveKey, DependsOnEachOfItsArguments) {
  std::set<uint64_t> keys;
  for (const uint64_t seed : {0ull, 1ull, 42ull, 1ull << 40})
    for (const char* purpose : {"", "sampler", "dropout", "dropouu"})
      for (const uint64_t index : {0ull, 1ull, 1ull << 32}) keys.insert(derive_key(seed, purpose, index));
  EXPECT_EQ(keys.size(), 4u * 4u * 3u);
  EXPECT_EQ(derive_key(42, "sampler"), derive_key(42, "sampler", 0));
}

TEST(DeriveKey, NeighbouringSeedsShareAboutHalfTheirBits) {
  double differing = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed)
    differing += std::popcount(derive_key(seed, "sampler") ^ derive_key(seed + 1, "sampler"));
  EXPECT_NEAR(differing / 1000, 32, 1);
}

TEST(Permutation, VisitsEveryPlaceOnce) {
  for (const int64_t size : {1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 4097}) {
    const Permutation permutation(size, derive_key(7, "test", static_cast<uint64_t>(size)));
    std::vector<bool> seen(static_cast<size_t>(size));
    for (int64_t i = 0; i < size; ++i) {
      const int64_t place = permutation(i);
      ASSERT_TRUE(0 <= place && place < size) << size;
      ASSERT_FALSE(seen[static_cast<size_t>(place)]) << size;
      seen[static_cast<size_t>(place)] = true;
    }
  }
}

TEST(Permutation, WorksUpToTheLargestSize) {
  for (const int64_t size : {int64_t{1} << 32, (int64_t{1} << 62) + 1, std::numeric_limits<int64_t>::max()}) {
    const Permutation permutation(size, 5);
    std::set<int64_t> places;
    for (int64_t i = 0; i < 1000; ++i) places.insert(permutation(i));
    EXPECT_EQ(places.size(), 1000u);
    EXPECT_GE(*places.begin(), 0);
    EXPECT_GT(*places.rbegin(), size / 2);
  }
}

// Chi-square over all orders, each expected 200 times; 4.5 standard deviations are 1 in 10⁵. Most
// of these sizes leave places of the grid to walk over.
TEST(Permutation, GivesEveryOrderOfAFewEquallyOften) {
  for (const auto& [size, orders] : {std::pair<int64_t, int>{2, 2}, {3, 6}, {4, 24}, {5, 120}, {6, 720}}) {
    std::map<std::vector<int64_t>, int> times;
    for (int key = 0; key < 200 * orders; ++key) {
      const Permutation permutation(size, derive_key(static_cast<uint64_t>(key), "orders"));
      std::vector<int64_t> order;
      for (int64_t i = 0; i < size; ++i) order.push_back(permutation(i));
      ++times[order];
    }
    double chi_square = 0;
    for (const auto& [order, count] : times) chi_square += std::pow(count - 200, 2) / 200;
    EXPECT_EQ(static_cast<int>(times.size()), orders);
    EXPECT_LT(chi_square, orders - 1 + 4.5 * std::sqrt(2 * (orders - 1))) << size;
  }
}

// In a shuffled list neighbours are no nearer to each other than any two.
TEST(Permutation, LeavesNoTraceOfTheOldOrder) {
  constexpr int64_t kSize = 10007;
  const Permutation permutation(kSize, 99);
  double moved = 0, apart = 0;
  for (int64_t i = 0; i + 1 < kSize; ++i) {
    moved += std::abs(static_cast<double>(permutation(i) - i));
    apart += std::abs(static_cast<double>(permutation(i + 1) - permutation(i)));
  }
  EXPECT_NEAR(moved / kSize / kSize, 1.0 / 3, 0.01);
  EXPECT_NEAR(apart / kSize / kSize, 1.0 / 3, 0.01);
}

}  // namespace
}  // namespace sft
