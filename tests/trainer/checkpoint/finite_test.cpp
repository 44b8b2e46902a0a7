// Numbers and what is none, in every type that weights have.
#include "trainer/checkpoint/finite.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace sft {
namespace {

template <class Number>
std::string verdict(const std::string& dtype, std::vector<Number> numbers, size_t shift = 0) {
  const size_t bytes = numbers.size() * sizeof(Number);
  std::vector<char> memory(bytes + shift);
  std::memcpy(memory.data() + shift, numbers.data(), bytes);
  return not_finite_in({"w", dtype, {}, memory.data() + shift, static_cast<int64_t>(bytes)});
}

template <class Float>
std::vector<Float> numbers_with(size_t place, Float special) {
  using limits = std::numeric_limits<Float>;
  std::vector<Float> numbers(10'000, Float{1});
  numbers[0] = limits::max();
  numbers[1] = limits::lowest();
  numbers[2] = limits::denorm_min();
  numbers[3] = -0.0;
  numbers[place] = special;
  return numbers;
}

template <class Float>
void expect_found(const std::string& dtype) {
  using limits = std::numeric_limits<Float>;
  EXPECT_EQ(verdict(dtype, numbers_with<Float>(9, 9)), "");
  for (const size_t place : {size_t{0}, size_t{4095}, size_t{4096}, size_t{9999}})
    for (const size_t shift : {size_t{0}, size_t{1}}) {
      const std::string where = "tensor 'w', element " + std::to_string(place) + ", is ";
      EXPECT_EQ(verdict(dtype, numbers_with(place, limits::quiet_NaN()), shift), where + "NaN");
      EXPECT_EQ(verdict(dtype, numbers_with(place, -limits::infinity()), shift), where + "infinite");
    }
}

TEST(Finite, NamesTheFirstElementThatIsNoNumberWhereverItIs) {
  expect_found<float>("F32");
  expect_found<double>("F64");
}

TEST(Finite, KnowsTheNarrowTypesByTheirBits) {
  EXPECT_EQ(verdict<uint16_t>("F16", {0x7BFF, 0xFBFF, 0}), "");
  EXPECT_EQ(verdict<uint16_t>("F16", {0, 0x7C00}), "tensor 'w', element 1, is infinite");
  EXPECT_EQ(verdict<uint16_t>("F16", {0, 0, 0xFC01}), "tensor 'w', element 2, is NaN");
  EXPECT_EQ(verdict<uint16_t>("BF16", {0x7F7F, 0xFF7F, 0x7C00}), "");
  EXPECT_EQ(verdict<uint16_t>("BF16", {0xFF80}), "tensor 'w', element 0, is infinite");
  EXPECT_EQ(verdict<uint16_t>("BF16", {0x7F81}), "tensor 'w', element 0, is NaN");
}

TEST(Finite, TakesIntegersAndNothingAsTheyAre) {
  EXPECT_EQ(verdict<int64_t>("I64", {-1, std::numeric_limits<int64_t>::max()}), "");
  EXPECT_EQ(verdict<float>("F32", {}), "");
}

}  // namespace
}  // namespace sft
