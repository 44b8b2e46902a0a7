// Attention on a device: products by LibTorch over sequences of like length, padded there and nowhere else, and
// kernels of the plugin around them.
#pragma once

#include "trainer/models/blocks/attention.h"

namespace sft {

// As attend(), of tensors on a device; attention.groups must be there.
at::Tensor attend_on_device(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

}  // namespace sft
