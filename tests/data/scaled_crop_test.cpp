// Random scale and crop of pictures and their masks.
#include "data/loading/scaled_crop.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "data/loading/augment.h"

namespace sft {
namespace {

constexpr int64_t kStored = 24, kSeen = 16, kDraws = 300;

// Nine squares of one class each, whose colour is ten times the class.
uint8_t class_at(int64_t y, int64_t x) { return static_cast<uint8_t>(1 + y / 8 * 3 + x / 8); }

struct Seen {
  std::vector<uint8_t> pixels, mask;
};

Seen seen_in(int64_t draw, const Augmentation& how) {
  const Column colours{.name = "pixels", .number = Number::uint8, .shape = {kStored, kStored, kChannels}};
  const Column classes{.name = "mask", .number = Number::uint8, .shape = {kStored, kStored}, .role = Role::target};
  std::vector<uint8_t> pixels, mask;
  for (int64_t y = 0; y < kStored; ++y)
    for (int64_t x = 0; x < kStored; ++x) {
      mask.push_back(class_at(y, x));
      pixels.insert(pixels.end(), 3, static_cast<uint8_t>(10 * class_at(y, x)));
    }
  const Schema seen = seen_through(how, {.columns = {colours, classes}});
  Seen out{std::vector<uint8_t>(static_cast<size_t>(seen.columns[0].entry_numbers())),
           std::vector<uint8_t>(static_cast<size_t>(seen.columns[1].entry_numbers()))};
  const auto take = [&](const Column& stored, const Column& column, std::vector<uint8_t>& from, std::vector<uint8_t>& to) {
    auto* bytes = reinterpret_cast<std::byte*>(to.data());
    crop(reinterpret_cast<const std::byte*>(from.data()), stored, how, draw, bytes);
    augment(bytes, column, how, draw);
  };
  take(colours, seen.columns[0], pixels, out.pixels);
  take(classes, seen.columns[1], mask, out.mask);
  return out;
}

TEST(ScaledCrop, ShowsTheSameOfPictureAndMask) {
  const Augmentation how{.scaled_crop = ScaledCrop{.height = kSeen, .width = kSeen}, .flip = true, .seed = 3};
  int64_t beside = 0, equal = 0, all = 0;
  for (int64_t draw = 0; draw < kDraws; ++draw) {
    const Seen seen = seen_in(draw, how);
    ASSERT_EQ(seen.mask.size(), static_cast<size_t>(kSeen * kSeen));
    for (size_t p = 0; p < seen.mask.size(); ++p) {
      ASSERT_EQ(seen.mask[p] == kNoClass, seen.pixels[3 * p] == 0) << "draw " << draw << ", pixel " << p;
      if (seen.mask[p] == kNoClass) {
        ++beside;
        continue;
      }
      ++all;
      equal += seen.pixels[3 * p] == 10 * seen.mask[p];
    }
  }
  EXPECT_GT(beside, kDraws * 10);        // of factors below 1
  EXPECT_GT(equal, all * 7 / 10);        // but for the borders of squares, where colours are mixed
}

TEST(ScaledCrop, DrawsEveryFactorAndPlaceAndIsAFunctionOfTheDraw) {
  const ScaledCrop how{.height = kSeen, .width = kSeen};
  int64_t least = 1000, most = 0;
  for (int64_t draw = 0; draw < 2000; ++draw) {
    const DrawnScale drawn = drawn_scale(how, 5, draw);
    least = std::min(least, drawn.height);
    most = std::max(most, drawn.height);
    ASSERT_EQ(drawn.height, drawn.width);
    const int64_t room = drawn.height - kSeen;
    ASSERT_TRUE(drawn.top >= std::min<int64_t>(room, 0) && drawn.top <= std::max<int64_t>(room, 0)) << drawn.top;
    const DrawnScale again = drawn_scale(how, 5, draw);
    ASSERT_TRUE(again.top == drawn.top && again.left == drawn.left && again.height == drawn.height);
  }
  EXPECT_EQ(least, kSeen / 2);
  EXPECT_EQ(most, kSeen * 2);
}

TEST(ResizedCrop, ShowsTheSameOfPictureAndMask) {
  const Augmentation how{.resized_crop = ResizedCrop{.size = kSeen}, .seed = 3};
  int64_t equal = 0;
  for (int64_t draw = 0; draw < kDraws; ++draw) {
    const Seen seen = seen_in(draw, how);
    for (size_t p = 0; p < seen.mask.size(); ++p) equal += seen.pixels[3 * p] == 10 * seen.mask[p];
  }
  EXPECT_GT(equal, kDraws * kSeen * kSeen * 6 / 10);
}

TEST(Augmentation, LeavesNoClassBesideAMaskThatIsMoved) {
  const Column classes{.name = "mask", .number = Number::uint8, .shape = {8, 8}, .role = Role::target};
  int64_t beside = 0;
  for (int64_t draw = 0; draw < 100; ++draw) {
    std::vector<uint8_t> mask(64, 0);
    augment(reinterpret_cast<std::byte*>(mask.data()), classes, {.padding = 2, .seed = 3}, draw);
    beside += std::ranges::count(mask, kNoClass);
    ASSERT_EQ(std::ranges::count(mask, kNoClass) + std::ranges::count(mask, 0), 64);
  }
  EXPECT_GT(beside, 500);
}

}  // namespace
}  // namespace sft
