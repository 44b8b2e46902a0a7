// The same masks as keep_bits.h by tensor operators.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/dropout_key.h"

namespace sft::testing {

// [R, elements] of `dtype`: 0 or the scale. draws, rows: int64 [R], as BitsRow.
at::Tensor keep_mask(const Dropout& dropout, const at::Tensor& draws, const at::Tensor& rows, int64_t elements,
                     at::ScalarType dtype);

}  // namespace sft::testing
