// Root mean square norm (Zhang and Sennrich, 2019), the norm of pre-norm decoders:
//   y = x / √(mean(x²) + eps) · weight
// In the type of x; where that is narrower than float32, float32 inside.
#pragma once

#include <ATen/core/Tensor.h>

namespace sft {

struct RmsNorm {
  at::Tensor weight;  // [C]
  double eps = 1e-6;
};

// x [N, C]
at::Tensor rms_norm(const at::Tensor& x, const RmsNorm& norm);

// The residual connection in front of a norm, in one pass.
struct NormedSum {
  at::Tensor sum;     // x + residual
  at::Tensor normed;  // its norm
};
NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& residual, const RmsNorm& norm);

}  // namespace sft
