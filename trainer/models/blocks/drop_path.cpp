#include "trainer/models/blocks/drop_path.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>

#include "trainer/models/blocks/dropout.h"

namespace sft {

at::Tensor drop_path(const at::Tensor& x_NC, const Dropout& path, const at::Tensor& draws_B) {
  if (path.p == 0 || x_NC.numel() == 0) return x_NC;
  const int64_t pictures = draws_B.size(0);
  const at::Tensor ones_B1 = at::ones({pictures, 1}, x_NC.options().requires_grad(false));
  const at::Tensor stays_B1 = keyed_dropout(ones_B1, path.key, draws_B, at::zeros_like(draws_B), path.p);
  return (x_NC.view({pictures, -1, x_NC.size(1)}) * stays_B1.unsqueeze(2)).view_as(x_NC);
}

}  // namespace sft
