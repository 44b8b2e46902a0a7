#include "equivalence/boxes.h"

#include <algorithm>

#include "trainer/tasks/object_detection/rows/box_columns.h"
#include "trainer/tasks/recipes/picture_notes.h"

namespace sft::equivalence {
namespace {

constexpr int64_t kHeight = 300, kWidth = 400;  // of the originals

}  // namespace

MemoryDataset pictures_with_boxes(int64_t size, int64_t side, int64_t num_labels, uint64_t seed) {
  const Schema schema{.columns = {{.name = "pixels", .number = Number::uint8, .shape = {side, side, 3}},
                                  boxes_column(),
                                  box_labels_column(num_labels),
                                  box_flags_column(),
                                  view_column(),
                                  original_size_column()}};
  uint64_t drawn = 0;
  const auto draw = [&](int64_t below) {
    return static_cast<int64_t>(derive_key(seed, "boxes", drawn++) % static_cast<uint64_t>(below));
  };
  const float scale = static_cast<float>(side) / kWidth;
  std::vector<Sample> samples;
  for (int64_t i = 0; i < size; ++i) {
    std::vector<uint8_t> pixels, flags;
    std::vector<float> boxes;
    std::vector<int32_t> labels;
    const int64_t count = draw(7);
    for (int64_t n = 0; n < count; ++n) {
      const int64_t longest = n % 3 == 0 ? 25 : n % 3 == 1 ? 80 : 250;
      const int64_t width = longest / 2 + draw(longest / 2), height = longest / 2 + draw(longest / 2);
      const int64_t left = draw(kWidth - width), top = draw(kHeight - height);
      for (const int64_t edge : {left, top, left + width, top + height}) boxes.push_back(static_cast<float>(edge));
      labels.push_back(static_cast<int32_t>(draw(num_labels)));
      const int64_t kind = draw(9);
      flags.push_back(static_cast<uint8_t>(size_flags(static_cast<double>(width * height)) | (kind == 0   ? kCrowd
                                                                                              : kind == 1 ? kDifficult
                                                                                                          : 0)));
    }
    for (int64_t p = 0; p < side * side * 3; ++p)
      pixels.push_back(static_cast<uint8_t>(draw(200) + (labels.empty() ? 0 : labels.front() * 10)));
    Sample sample(schema);
    const auto cell = [&](const char* name) -> Packed& { return sample.cells[schema.place(name)]; };
    cell("pixels").set(pixels);
    cell(kBoxes).set(boxes);
    cell(kBoxLabels).set(labels);
    cell(kBoxFlags).set(flags);
    cell(kView).set(std::vector<float>{scale, scale, 0, 0});
    cell(kOriginalSizeColumn).set(std::vector<int32_t>{kHeight, kWidth});
    sample.row = i;
    samples.push_back(std::move(sample));
  }
  return {schema, samples, size};
}

}  // namespace sft::equivalence
