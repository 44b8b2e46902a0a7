#include "trainer/tasks/object_detection/rows/box_columns.h"

namespace sft {

uint8_t size_flags(double area) {
  constexpr double kSmallest = 32.0 * 32.0, kLargest = 96.0 * 96.0;
  return static_cast<uint8_t>((area <= kSmallest ? kSmall : 0) | (area >= kSmallest && area <= kLargest ? kMedium : 0) |
                              (area >= kLargest ? kLarge : 0));
}

Column boxes_column() {
  return {.name = kBoxes, .number = Number::float32, .shape = {4}, .axis = kBoxAxis, .role = Role::target};
}

Column box_labels_column(int64_t num_labels) {
  return {.name = kBoxLabels, .number = Number::int32, .axis = kBoxAxis, .bound = num_labels, .role = Role::target};
}

Column box_flags_column() {
  return {.name = kBoxFlags, .number = Number::uint8, .axis = kBoxAxis, .role = Role::target};
}

Column view_column() { return {.name = kView, .number = Number::float32, .shape = {4}}; }

}  // namespace sft
