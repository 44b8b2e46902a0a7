// The same attention from ATen's operators, on any device: sequences padded to the longest, masks by tensor operators.
#pragma once

#include "trainer/models/blocks/attention.h"

namespace sft::testing {

at::Tensor attend_composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

}  // namespace sft::testing
