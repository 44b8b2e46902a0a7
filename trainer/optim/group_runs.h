// The slices of one group as lists of views, the form that LibTorch's fused kernels take: one call a group.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/optim/arena.h"

namespace sft {

// Views of `flat` for the slices of `group`.
std::vector<at::Tensor> runs_of(const at::Tensor& flat, const std::vector<Slice>& slices, int group);

}  // namespace sft
