// What closes each half of a post-norm transformer block, in one pass over the rows:
//   y = LayerNorm(dropout(x + bias) + residual)
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

struct LayerNorm {
  at::Tensor weight, bias;  // [C]
  double eps = 1e-12;
};

// x, residual [N, C]; bias [C] is that of the layer which made x. draws, positions int64 [N].
at::Tensor add_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual, const LayerNorm& norm,
                    const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions);

}  // namespace sft
