// Attention on a device by the plugin's flash kernels, which keep no probabilities: bfloat16, heads of 32, 64 or
// 128.
#pragma once

#include "trainer/models/blocks/attention.h"

namespace sft {

// Whether the kernels take these; if not, attend_on_device multiplies by LibTorch.
bool flash_takes(const at::Tensor& q, const at::Tensor& k, const Attention& attention);

// As attend(), of tensors that the kernels take.
at::Tensor attend_by_flash(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

}  // namespace sft
