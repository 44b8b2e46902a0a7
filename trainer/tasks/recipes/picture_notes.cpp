#include "trainer/tasks/recipes/picture_notes.h"

namespace sft {

Column place_column() { return {.name = kPlaceColumn, .number = Number::uint8, .axis = "byte", .role = Role::note}; }

Column original_size_column() {
  return {.name = kOriginalSizeColumn, .number = Number::int32, .shape = {2}, .role = Role::note};
}

std::string place_in(const Batch& batch, size_t b) {
  const Column* const column = batch.schema.find(kPlaceColumn);
  if (column == nullptr) return "";
  const std::span<const uint8_t> bytes = batch.at(kPlaceColumn).as<uint8_t>();
  const Offsets& offsets = batch.offsets(column->axis);
  return {bytes.begin() + offsets[b], bytes.begin() + offsets[b + 1]};
}

}  // namespace sft
