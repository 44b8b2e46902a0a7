#include "trainer/models/blocks/on_device.h"

#include <stdexcept>
#include <string>

namespace sft {

Real real_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return Real::f32;
    case at::kDouble:
      return Real::f64;
    case at::kBFloat16:
      return Real::bf16;
    default:
      throw std::logic_error(std::string("no device kernel computes in ") + at::toString(tensor.scalar_type()));
  }
}

at::ScalarType wide_type(at::ScalarType type) { return type == at::kDouble ? at::kDouble : at::kFloat; }

DeviceRows device_rows(const at::Tensor& x) {
  return {.device = x.device().index(), .type = real_of(x), .num_rows = x.size(0), .width = x.size(1)};
}

}  // namespace sft
