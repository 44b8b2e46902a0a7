#include "data/loading/box_columns.h"

namespace sft {

View view_in(const Batch& batch, size_t b) {
  const std::span<const float> numbers = batch.at(kView).as<float>().subspan(4 * b, 4);
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

}  // namespace sft
