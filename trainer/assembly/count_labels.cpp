#include "trainer/assembly/count_labels.h"

#include <span>

#include "comm/agree.h"

namespace sft {
namespace {

template <class T>
void count_ids(std::span<const T> ids, std::vector<int64_t>& counts) {
  for (const T id : ids)
    if (id >= 0) ++counts.at(static_cast<size_t>(id));
}

void count_pixels(std::span<const uint8_t> classes, std::vector<int64_t>& counts) {
  for (const uint8_t id : classes)
    if (id < counts.size()) ++counts[id];
}

void count_flags(std::span<const float> flags, std::vector<int64_t>& counts) {
  for (size_t k = 0; k < flags.size(); ++k) counts.at(k) += flags[k] != 0.0f;
}

void count(const Packed& cell, std::vector<int64_t>& counts) {
  if (cell.number() == Number::uint8) count_pixels(cell.as<uint8_t>(), counts);
  if (cell.number() == Number::int64) count_ids(cell.as<int64_t>(), counts);
  if (cell.number() == Number::int32) count_ids(cell.as<int32_t>(), counts);
  if (cell.number() == Number::float32) count_flags(cell.as<float>(), counts);
}

}  // namespace

std::vector<int64_t> count_labels(const Dataset& dataset, size_t num_labels, Communicator& control) {
  std::vector<int64_t> counts(num_labels);
  together(control, [&] {
    size_t place = SIZE_MAX;
    for (const char* column : {"labels", "mask", "box_labels"})
      if (place == SIZE_MAX) place = dataset.schema().place(column);
    if (place == SIZE_MAX) return;
    Packed cell(dataset.schema().columns[place].number);
    const auto [first, end] = range_of(dataset.size(), {control.rank(), control.size()});
    for (int64_t i = first; i < end; ++i) {
      cell.clear();
      dataset.append(i, place, cell);
      count(cell, counts);
    }
  });
  control.all_reduce(Buffer::of(std::span<int64_t>(counts)));
  return counts;
}

}  // namespace sft
