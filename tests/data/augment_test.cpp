// Random crop and flip: windows of the padded image and its mirror, drawn anew for each draw and never otherwise.
#include "data/loading/augment.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "data/images/image.h"
#include "data/loading/batch_reader.h"
#include "data/loading/loader.h"
#include "support/memory_dataset.h"

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

// By draw: the pixels of each sample in a batch, over all ranks, from a place in the order on.
std::map<int64_t, std::vector<std::byte>> pictures(const Dataset& data, const Augmentation& how, int ranks,
                                                   int64_t max_samples, const Cursor& from, int steps) {
  constexpr uint64_t kSeed = 4;
  std::map<int64_t, std::vector<std::byte>> all;
  const auto sampler = make_sampler("random", data, kSeed, 8);
  for (int rank = 0; rank < ranks; ++rank) {
    const auto loader = make_loader(
        data, *sampler, {rank, ranks},
        {.global_batch_size = 8, .max_tokens = 64, .max_samples = max_samples, .prefetch = 0, .augmentation = how},
        kSeed);
    loader->seek(from);
    for (int step = 0; step < steps; ++step) {
      const Share share = loader->next();
      for (const Batch& batch : share.parts.front()) {
        EXPECT_EQ(batch.schema.at("pixels").shape,
                  (std::vector<int64_t>{how.resized_crop->size, how.resized_crop->size, 3}));
        const auto bytes = static_cast<size_t>(batch.schema.at("pixels").entry_bytes());
        for (size_t b = 0; b < batch.draws.size(); ++b) {
          const std::byte* first = batch.at("pixels").bytes() + b * bytes;
          EXPECT_TRUE(all.try_emplace(batch.draws[b], first, first + bytes).second);
        }
      }
    }
  }
  return all;
}

TEST(ResizedCrop, ShowsTheSameOnAnyNumberOfRanksAndAfterAResume) {
  const MemoryDataset data = MemoryDataset::of_images(21, 12, 3, 4);
  const Augmentation how{.resized_crop = ResizedCrop{.size = 8}, .flip = true, .seed = 9};
  const auto alone = pictures(data, how, 1, 0, {4, 0, 0}, 6);
  EXPECT_EQ(alone.size(), 42u);
  for (const int ranks : {2, 3}) EXPECT_EQ(pictures(data, how, ranks, 3, {4, 0, 0}, 6), alone) << ranks;
  auto later = pictures(data, how, 2, 2, {4, 1, 8}, 2);  // the second epoch, behind its first batch
  EXPECT_EQ(later.size(), 13u);
  for (const auto& [draw, pixels] : later) EXPECT_EQ(pixels, alone.at(draw)) << draw;
}

TEST(ResizedCrop, IsAFunctionOfSeedAndDrawAndIsMirroredBehindIt) {
  const MemoryDataset data = MemoryDataset::of_images(2, 20, 2, 4);
  const auto of = [&](uint64_t seed, int64_t draw, bool flip) {
    const BatchReader reader(data, {.resized_crop = ResizedCrop{.size = 8}, .flip = flip, .seed = seed});
    const Batch batch = reader.read({{.position = 0, .index = 1}}, draw);
    const auto pixels = batch.at("pixels").as<uint8_t>();
    Batch stored(data.schema());
    data.append(1, stored);
    EXPECT_EQ(batch.at("labels"), stored.at("labels"));
    return std::vector<uint8_t>(pixels.begin(), pixels.end());
  };
  EXPECT_EQ(of(1, 2, true), of(1, 2, true));
  EXPECT_NE(of(1, 2, false), of(1, 3, false));
  EXPECT_NE(of(1, 2, false), of(2, 2, false));
  int mirrored = 0;
  for (int64_t draw = 0; draw < 40; ++draw) {
    const std::vector<uint8_t> plain = of(5, draw, false), flipped = of(5, draw, true);
    if (plain == flipped) continue;
    EXPECT_EQ(flipped, shifted(plain, 8, 8, 0, 0, true));
    ++mirrored;
  }
  EXPECT_GT(mirrored, 8);
  EXPECT_LT(mirrored, 32);
}

}  // namespace
}  // namespace sft
