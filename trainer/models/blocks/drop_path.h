// Stochastic depth (Huang et al., 2016): for some pictures a half of a block is left out.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

// x [N, C] of pictures with equally many rows each: those of a picture fall together, keyed by its draw. draws_B int64.
at::Tensor drop_path(const at::Tensor& x_NC, const Dropout& path, const at::Tensor& draws_B);

}  // namespace sft
