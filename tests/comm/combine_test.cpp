#include "comm/combine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "comm/half.h"
#include "comm/mpi/node.h"
#include "tests/comm/values.h"

namespace sft::test {
namespace {

// The outside reference for f16 is the compiler's own type.
TEST(Half, WidensEveryFloat16AsTheCompilerDoes) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = std::bit_cast<_Float16>(static_cast<uint16_t>(bits));
    const auto expected = static_cast<float>(half);
    const float found = widen(Float16{static_cast<uint16_t>(bits)});
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(found)) << bits;
    else
      ASSERT_EQ(std::bit_cast<uint32_t>(found), std::bit_cast<uint32_t>(expected)) << bits;
  }
}

TEST(Half, RoundsToFloat16AsTheCompilerDoes) {
  std::mt19937 random(1);
  const auto check = [](float value) {
    Float16 found{};
    narrow(value, found);
    const auto expected = std::bit_cast<uint16_t>(static_cast<_Float16>(value));
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(widen(found)));
    else
      ASSERT_EQ(found.bits, expected) << value;
  };
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {  // each value, the ties around it, and their neighbours
    const float value = widen(Float16{static_cast<uint16_t>(bits)});
    const float tie = (value + widen(Float16{static_cast<uint16_t>(bits + 1)})) / 2;
    for (const float near : {value, tie, std::nextafter(tie, 0.0f), std::nextafter(tie, INFINITY)}) check(near);
  }
  for (int i = 0; i < 1'000'000; ++i) check(std::bit_cast<float>(static_cast<uint32_t>(random())));
}

TEST(Half, RoundsToTheNearerBFloat16AndTiesToEven) {
  std::mt19937 random(2);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto bits = static_cast<uint32_t>(random());
    const float value = std::bit_cast<float>(bits);
    BFloat16 found{};
    narrow(value, found);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(widen(found)));
      continue;
    }
    // The two candidates enclose the value; the next above the largest counts as 2^128.
    const double below = widen(BFloat16{static_cast<uint16_t>(bits >> 16)});
    const BFloat16 next{static_cast<uint16_t>((bits >> 16) + 1)};
    const double above = std::isinf(widen(next)) ? std::copysign(0x1p128, value) : static_cast<double>(widen(next));
    if (std::isinf(value))
      ASSERT_EQ(widen(found), value);
    else if (std::abs(value - below) < std::abs(value - above))
      ASSERT_EQ(found.bits, bits >> 16) << value;
    else if (std::abs(value - below) > std::abs(value - above))
      ASSERT_EQ(found.bits, next.bits) << value;
    else
      ASSERT_EQ(found.bits & 1, 0) << value;
  }
}

TEST(Combine, AddsInRankOrder) {
  // (1e8 + 1) − 1e8 is 0 in f32, 1e8 − 1e8 + 1 is 1: the order shows.
  const float parts[3] = {1e8f, 1.0f, -1e8f};
  const auto sum_of = [&](int a, int b, int c) {
    float result = -1;
    const std::array<const std::byte*, 3> order{reinterpret_cast<const std::byte*>(parts + a),
                                                reinterpret_cast<const std::byte*>(parts + b),
                                                reinterpret_cast<const std::byte*>(parts + c)};
    combine(Reduction::sum, Element::f32, order, reinterpret_cast<std::byte*>(&result), 1);
    return result;
  };
  EXPECT_EQ(sum_of(0, 1, 2), 0.0f);
  EXPECT_EQ(sum_of(0, 2, 1), 1.0f);
}

TEST(NodeMemory, TakesNoMoreThanHalfOfWhatIsFree) {
  constexpr size_t kMiB = 1 << 20;
  EXPECT_EQ(mpi::slot_bytes_that_fit(kMiB, 4, 1, size_t{24} << 30), kMiB);
  const size_t squeezed = mpi::slot_bytes_that_fit(kMiB, 8, 1, 8 * kMiB);
  EXPECT_GE(squeezed, size_t{64} << 10);
  EXPECT_LE(squeezed * 9, 4 * kMiB);
  EXPECT_EQ(mpi::slot_bytes_that_fit(kMiB, 8, 1, kMiB / 2), 0u) << "not worth it";
  EXPECT_EQ(mpi::slot_bytes_that_fit(kMiB, 2, 1, 0), 0u);
}

}  // namespace
}  // namespace sft::test
