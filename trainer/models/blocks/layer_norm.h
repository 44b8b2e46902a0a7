// Layer norm (Ba et al., 2016) on its own, as pre-norm blocks have it; add_norm.h has the one of post-norm blocks.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/add_norm.h"

namespace sft {

// x [N, C], in its type; in float32 inside where that is narrower. The norm may be without a bias.
at::Tensor layer_normed(const at::Tensor& x, const LayerNorm& norm);

}  // namespace sft
