#include "data/images/difference_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "data/images/resize.h"

namespace sft::test {
namespace {

Image waves(int64_t side, uint64_t seed) {
  Image image{side, side, {}};
  const auto a = static_cast<double>(2 + derive_key(seed, "a") % 7),
             b = static_cast<double>(1 + derive_key(seed, "b") % 9);
  for (int64_t y = 0; y < side; ++y)
    for (int64_t x = 0; x < side; ++x)
      for (int64_t c = 0; c < kChannels; ++c) {
        const double at =
            std::sin(a * static_cast<double>(x) / static_cast<double>(side) * 3 + static_cast<double>(seed)) *
            std::cos(b * static_cast<double>(y) / static_cast<double>(side) * 3);
        image.pixels.push_back(static_cast<uint8_t>(110 + 90 * at));
      }
  return image;
}

TEST(DifferenceHash, HasABitForEachStepFromLeftToRight) {
  Image ramp{8, 9, {}};
  for (int64_t y = 0; y < 8; ++y)
    for (int64_t x = 0; x < 9; ++x)
      for (int64_t c = 0; c < kChannels; ++c)
        ramp.pixels.push_back(static_cast<uint8_t>(y == 0 ? 200 - 10 * x : 10 * x));
  EXPECT_EQ(difference_hash(ramp), uint64_t{0xFF} << 56);
}

TEST(DifferenceHash, StaysNearWhereSizeAndBrightnessChangeAndIsFarElsewhere) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Image image = waves(64, seed);
    Image brighter = image;
    for (uint8_t& value : brighter.pixels) value = static_cast<uint8_t>(value + 40);
    const uint64_t hash = difference_hash(image);
    EXPECT_LE(different_bits(hash, difference_hash(brighter)), 2);
    EXPECT_LE(different_bits(hash, difference_hash(resized(image, 40, 50))), 3);
    EXPECT_GT(different_bits(hash, difference_hash(waves(64, seed + 6))), 6);
  }
}

}  // namespace
}  // namespace sft::test
