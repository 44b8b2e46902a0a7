// The norm of a flat gradient buffer, and its clipping.
#pragma once

#include <ATen/core/Tensor.h>

namespace sft {

// ‖flat‖₂ as a scalar on the device: fp32, or float64 for a float64 buffer.
at::Tensor norm_of(const at::Tensor& flat);

// Scales `flat` in place by min(1, max_norm / (norm + 1e-6)), torch's clip_grad_norm_.
void scale_to_norm(const at::Tensor& flat, const at::Tensor& norm, double max_norm);

}  // namespace sft
