// What augmentation does to a picture, it does to its boxes: where a box is said to be, its colour is seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/images/letterbox.h"
#include "data/loading/batch_reader.h"
#include "trainer/tasks/object_detection/rows/box_columns.h"
#include "trainer/tasks/object_detection/rows/seen_boxes.h"

namespace sft {
namespace {

constexpr int64_t kHeight = 80, kWidth = 60, kStored = 64;
// Corners in the original picture, each filled with a colour of its own.
constexpr float kCorners[][4] = {{4, 6, 20, 30}, {30, 10, 56, 26}, {10, 50, 50, 72}};
constexpr uint8_t kColours[] = {40, 80, 120};

// One sample of three boxes, of which the second is a crowd.
class Painted final : public Dataset {
 public:
  Painted() {
    info_.schema.columns = {{.name = "pixels", .number = Number::uint8, .shape = {kStored, kStored, kChannels}},
                            view_column(),
                            {.name = kOriginalSizeColumn, .number = Number::int32, .shape = {2}, .role = Role::note},
                            boxes_column(),
                            box_labels_column(3),
                            box_flags_column()};
    info_.num_samples = info_.num_rows = 1;
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t) const override { return 1; }
  int64_t row(int64_t i) const override { return i; }
  float weight(int64_t) const override { return 1; }
  int64_t bytes_read() const override { return 0; }
  void append(int64_t, Batch& out) const override {
    Image image{kHeight, kWidth, std::vector<uint8_t>(kHeight * kWidth * 3, 250)};
    Sample sample(info_.schema);
    std::vector<float> corners;
    for (size_t b = 0; b < 3; ++b) {
      const auto& box = kCorners[b];
      corners.insert(corners.end(), box, box + 4);
      for (auto y = static_cast<int64_t>(box[1]); y < static_cast<int64_t>(box[3]); ++y)
        for (auto x = static_cast<int64_t>(box[0]); x < static_cast<int64_t>(box[2]); ++x)
          std::fill_n(image.pixels.begin() + (y * kWidth + x) * 3, 3, kColours[b]);
    }
    const View view = letterbox_view(kHeight, kWidth, kStored);
    sample.cells[0].set(letterboxed(image, kStored, Interpolation::bilinear, {0, 0, 0}).pixels);
    sample.cells[1].set(std::vector<float>{view.scale_x, view.scale_y, view.left, view.top});
    sample.cells[2].set(std::vector<int32_t>{kHeight, kWidth});
    sample.cells[3].set(corners);
    sample.cells[4].set(std::vector<int32_t>{0, 1, 2});
    sample.cells[5].set(std::vector<uint8_t>{0, kCrowd, 0});
    out.append(sample);
  }
  void append(int64_t, size_t, Packed&) const override {}

 private:
  DatasetInfo info_;
};

Batch drawn(const Augmentation& how, int64_t first, int64_t count) {
  static const Painted dataset;
  std::vector<Item> items;
  for (int64_t i = 0; i < count; ++i) items.push_back({.position = i, .index = 0, .length = 1});
  return BatchReader(dataset, how).read(items, first);
}

// How many boxes were seen, of all samples; each of its own colour in the middle.
int64_t expect_colours(const Batch& batch) {
  const auto side = static_cast<size_t>(batch.schema.columns[0].shape[0]);
  const auto pixels = batch.at("pixels").as<uint8_t>();
  const auto labels = batch.at(kBoxLabels).as<int32_t>();
  const auto boxes = batch.at(kBoxes).as<float>();
  const Offsets& offsets = batch.offsets(kBoxAxis);
  EXPECT_EQ(labels.size() * 4, boxes.size());
  EXPECT_EQ(batch.at(kBoxFlags).size(), labels.size());
  EXPECT_EQ(offsets.back(), std::ssize(labels));
  for (size_t b = 0; b < static_cast<size_t>(batch.size()); ++b) {
    const View view = view_in(batch, b);
    for (auto i = static_cast<size_t>(offsets[b]); i < static_cast<size_t>(offsets[b + 1]); ++i) {
      const auto label = static_cast<size_t>(labels[i]);
      EXPECT_TRUE(std::equal(kCorners[label], kCorners[label] + 4, &boxes[4 * i]));
      const auto x = static_cast<size_t>(view.seen_x((boxes[4 * i] + boxes[4 * i + 2]) / 2));
      const auto y = static_cast<size_t>(view.seen_y((boxes[4 * i + 1] + boxes[4 * i + 3]) / 2));
      EXPECT_EQ(pixels[((b * side + y) * side + x) * 3], kColours[label]) << "sample " << b << ", class " << label;
    }
  }
  return std::ssize(labels);
}

TEST(BoxAugmentation, KeepsBoxesOnWhatTheyAreOf) {
  const Augmentation flips{.flip = true, .seed = 3};
  EXPECT_EQ(expect_colours(drawn(flips, 0, 40)), 120);
  Augmentation scales{
      .scaled_crop = ScaledCrop{.height = 48, .width = 48, .beside = {1, 2, 3}}, .flip = true, .seed = 3};
  const Batch batch = drawn(scales, 0, 200);
  const int64_t seen = expect_colours(batch);
  EXPECT_GT(seen, 250);
  EXPECT_LT(seen, 590);  // some left the window with their centre
  const auto pixels = batch.at("pixels").as<uint8_t>();
  EXPECT_NE(std::ranges::search(pixels, std::vector<uint8_t>{1, 2, 3, 1, 2, 3}).begin(), pixels.end());
  const Augmentation windows{.resized_crop = ResizedCrop{.scale = {0.3, 1.0}, .size = 48}, .flip = true, .seed = 4};
  EXPECT_GT(expect_colours(drawn(windows, 0, 200)), 200);
}

TEST(BoxAugmentation, MirrorsThePictureAndNotWhatIsBesideIt) {
  int64_t mirrored = 0;
  for (int64_t draw = 0; draw < 8; ++draw) {
    const Batch batch = drawn({.flip = true, .seed = 3}, draw, 1);
    const auto pixels = batch.at("pixels").as<uint8_t>();
    EXPECT_EQ(pixels[0], 250);  // the picture stays in the upper left corner
    EXPECT_EQ(pixels[47 * 3], 250);
    EXPECT_EQ(pixels[48 * 3], 0);
    const View view = view_in(batch, 0);
    EXPECT_NEAR(std::min(view.seen_x(0), view.seen_x(kWidth)), 0, 1e-4);
    mirrored += view.scale_x < 0 ? 1 : 0;
  }
  EXPECT_GT(mirrored, 0);
  EXPECT_LT(mirrored, 8);
}

// int(49 * (512 / 49)) is 511 in transformers, and so is its height of such an image.
TEST(Letterbox, HasTheSizesOfTransformers) {
  const View view = letterbox_view(49, 30, 512);
  EXPECT_FLOAT_EQ(view.scale_y, 511.f / 49);
  EXPECT_FLOAT_EQ(view.scale_x, 313.f / 30);
  EXPECT_FLOAT_EQ(letterbox_view(1, 600, 512).scale_y, 1);
}

TEST(BoxAugmentation, IsAFunctionOfTheDraw) {
  const Augmentation how{.scaled_crop = ScaledCrop{.height = 48, .width = 48}, .flip = true, .seed = 3};
  const Batch all = drawn(how, 10, 6), last = drawn(how, 15, 1);
  const auto views = all.at(kView).as<float>().last(4), alone = last.at(kView).as<float>();
  EXPECT_TRUE(std::ranges::equal(views, alone));
  EXPECT_EQ(all.offsets(kBoxAxis)[6] - all.offsets(kBoxAxis)[5], last.offsets(kBoxAxis)[1]);
}

TEST(SeenBoxes, AreSharesOfTheSquareAndComeBack) {
  const Batch batch = drawn({.scaled_crop = ScaledCrop{.height = 48, .width = 48}, .flip = true, .seed = 3}, 0, 60);
  int64_t whole = 0;
  for (size_t b = 0; b < 60; ++b) {
    for (const SeenBox& seen : learned_boxes(batch, b)) {
      EXPECT_NE(seen.label, 1);  // the crowd
      const auto [x, y, width, height] = seen.box;
      EXPECT_GE(x - width / 2, -1e-12);
      EXPECT_LE(x + width / 2, 1 + 1e-12);
      EXPECT_GT(width * height, 0);
      const auto back = in_original(batch, b, seen.box);
      const float* box = kCorners[seen.label];
      const bool is_whole =
          x - width / 2 > 1e-9 && x + width / 2 < 1 - 1e-9 && y - height / 2 > 1e-9 && y + height / 2 < 1 - 1e-9;
      for (size_t c = 0; is_whole && c < 4; ++c) EXPECT_NEAR(back[c], box[c], 1e-3);
      whole += is_whole ? 1 : 0;
    }
  }
  EXPECT_GT(whole, 20);
}

}  // namespace
}  // namespace sft
