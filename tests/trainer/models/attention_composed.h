// The same attention by others' hands, on any device, a sequence at a time.
#pragma once

#include "trainer/models/blocks/attention.h"

namespace sft::testing {

// From ATen's operators, with dropout's masks.
at::Tensor attend_composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

// By torch's scaled_dot_product_attention, where nothing drops.
at::Tensor attend_by_torch(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

}  // namespace sft::testing
