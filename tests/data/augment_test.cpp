// Random crop and flip: windows of the padded image and its mirror, drawn anew for each draw and never otherwise.
#include "data/loading/augment.h"

#include <gtest/gtest.h>

#include <set>

#include "data/images/image.h"

namespace sft {
namespace {

std::vector<uint8_t> numbered(int64_t height, int64_t width) {
  std::vector<uint8_t> pixels;
  for (int64_t i = 0; i < height * width * kChannels; ++i) pixels.push_back(static_cast<uint8_t>(i % 251 + 1));
  return pixels;
}

void turn(std::vector<uint8_t>& pixels, int64_t height, int64_t width, const Augmentation& how, int64_t draw) {
  const Column column{.name = "pixels", .number = Number::uint8, .shape = {height, width, kChannels}};
  augment(reinterpret_cast<std::byte*>(pixels.data()), column, how, draw);
}

// By definition: position (y, x) shows (y + top, x + left), black outside.
std::vector<uint8_t> shifted(const std::vector<uint8_t>& pixels, int64_t height, int64_t width, int64_t top,
                             int64_t left, bool mirrored) {
  std::vector<uint8_t> out;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const int64_t from_y = y + top, from_x = (mirrored ? width - 1 - x : x) + left;
      const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
      for (int64_t c = 0; c < kChannels; ++c)
        out.push_back(inside ? pixels[static_cast<size_t>((from_y * width + from_x) * kChannels + c)] : uint8_t{0});
    }
  }
  return out;
}

TEST(Augmentation, GivesEveryWindowAndItsMirrorAndNothingElse) {
  constexpr int64_t kHeight = 5, kWidth = 7, kPadding = 2;
  const std::vector<uint8_t> image = numbered(kHeight, kWidth);
  std::set<std::vector<uint8_t>> allowed, seen;
  for (int64_t top = -kPadding; top <= kPadding; ++top) {
    for (int64_t left = -kPadding; left <= kPadding; ++left) {
      for (const bool mirrored : {false, true}) allowed.insert(shifted(image, kHeight, kWidth, top, left, mirrored));
    }
  }
  ASSERT_EQ(allowed.size(), 50u);
  for (int64_t draw = 0; draw < 2000; ++draw) {
    std::vector<uint8_t> pixels = image;
    turn(pixels, kHeight, kWidth, {.padding = kPadding, .flip = true, .seed = 3}, draw);
    ASSERT_TRUE(allowed.contains(pixels)) << draw;
    seen.insert(pixels);
  }
  EXPECT_EQ(seen.size(), allowed.size());
}

TEST(Augmentation, IsAFunctionOfSeedAndDraw) {
  const std::vector<uint8_t> image = numbered(8, 8);
  const auto of = [&](uint64_t seed, int64_t draw) {
    std::vector<uint8_t> pixels = image;
    turn(pixels, 8, 8, {.padding = 3, .flip = true, .seed = seed}, draw);
    return pixels;
  };
  EXPECT_EQ(of(1, 17), of(1, 17));
  EXPECT_NE(of(1, 17), of(1, 18));
  EXPECT_NE(of(1, 17), of(2, 17));
}

TEST(Augmentation, WithoutAnyLeavesTheImage) {
  std::vector<uint8_t> pixels = numbered(4, 4);
  turn(pixels, 4, 4, {}, 9);
  EXPECT_EQ(pixels, numbered(4, 4));
}

}  // namespace
}  // namespace sft
