#include "trainer/tasks/object_detection/rows/seen_boxes.h"

#include <algorithm>

#include "trainer/tasks/object_detection/rows/box_columns.h"

namespace sft {
namespace {

// Of the square, in pixels.
double side_of(const Batch& batch) { return static_cast<double>(batch.schema.at("pixels").shape[0]); }

}  // namespace

std::vector<SeenBox> learned_boxes(const Batch& batch, size_t b) {
  const View view = view_in(batch, b);
  const double side = side_of(batch);
  const auto boxes = batch.at(kBoxes).as<float>();
  const auto labels = batch.at(kBoxLabels).as<int32_t>();
  const auto flags = batch.at(kBoxFlags).as<uint8_t>();
  const Offsets& offsets = batch.offsets(kBoxAxis);
  std::vector<SeenBox> learned;
  for (auto i = static_cast<size_t>(offsets[b]); i < static_cast<size_t>(offsets[b + 1]); ++i) {
    if ((flags[i] & kCrowd) != 0) continue;
    const float* box = boxes.data() + 4 * i;
    const auto share = [&](double seen) { return std::clamp(seen, 0.0, side) / side; };
    const double x1 = share(view.seen_x(box[0])), x2 = share(view.seen_x(box[2]));
    const double y1 = share(view.seen_y(box[1])), y2 = share(view.seen_y(box[3]));
    learned.push_back({labels[i], {(x1 + x2) / 2, (y1 + y2) / 2, std::abs(x2 - x1), std::abs(y2 - y1)}});
  }
  return learned;
}

std::array<double, 4> in_original(const Batch& batch, size_t b, const std::array<double, 4>& seen) {
  const View view = view_in(batch, b);
  const double side = side_of(batch);
  const auto [x1, x2] =
      std::minmax({view.original_x((seen[0] - seen[2] / 2) * side), view.original_x((seen[0] + seen[2] / 2) * side)});
  const auto [y1, y2] =
      std::minmax({view.original_y((seen[1] - seen[3] / 2) * side), view.original_y((seen[1] + seen[3] / 2) * side)});
  return {x1, y1, x2, y2};
}

}  // namespace sft
