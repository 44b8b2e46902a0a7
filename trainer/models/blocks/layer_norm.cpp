#include "trainer/models/blocks/layer_norm.h"

#include <ATen/ops/layer_norm.h>

#include "trainer/models/blocks/on_device.h"

namespace sft {

at::Tensor layer_normed(const at::Tensor& x, const LayerNorm& norm) {
  const at::Tensor wide = x.to(wide_type(x.scalar_type()));
  return at::layer_norm(wide, {x.size(1)}, norm.weight, norm.bias, norm.eps).to(x.scalar_type());
}

}  // namespace sft
