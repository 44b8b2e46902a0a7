// The same masks as keep_bits.h by tensor operators, for devices without kernels of their own.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

// [R, elements] of `dtype`: 0 or the scale. draws, positions, heads: int64 [R], each row's place.
at::Tensor keep_mask(const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions,
                     const at::Tensor& heads, int64_t elements, at::ScalarType dtype);

}  // namespace sft
