#include "trainer/models/keras/layer.h"

#include <cmath>

#include "base/errors.h"
#include "base/text.h"

namespace sft::keras {

std::string text_of(const Shape& shape) {
  std::vector<std::string> sides;
  for (const int64_t side : shape) sides.push_back(side < 0 ? "any" : std::to_string(side));
  return "[" + join(sides, ", ") + "]";
}

double glorot_bound(double fan_in, double fan_out) { return std::sqrt(6.0 / (fan_in + fan_out)); }

double numbers_a_picture(const at::Tensor& x) {
  return x.size(0) == 0 ? 0 : static_cast<double>(x.numel() / x.size(0));
}

const Shape& Layer::require_one_input(const LayerPlace& place) const {
  if (place.inputs.size() != 1) refuse(concat("reads ", place.inputs.size(), " layers, and takes one"));
  return place.inputs.front();
}

const Shape& Layer::require_picture(const LayerPlace& place) const {
  const Shape& shape = require_one_input(place);
  if (shape.size() != 3) refuse(concat("takes [height, width, channels], and gets ", text_of(shape)));
  return shape;
}

void Layer::refuse(const std::string& why) const { throw DataError(concat(title_, ": ", why)); }

}  // namespace sft::keras
