// The slices of one group as lists of views, the form that LibTorch's fused kernels take: one call a group.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "trainer/optim/arena.h"

namespace sft {

// Views of the arena's values for the slices of `group`.
std::vector<at::Tensor> values_of(const Arena& arena, const std::vector<Slice>& slices, int group);

// Views of `packed`, in which the slices, those of other groups too, lie one behind the other.
std::vector<at::Tensor> packed_runs_of(const at::Tensor& packed, const std::vector<Slice>& slices, int group);

// Views of the arena's gradients.
std::vector<at::Tensor> gradients_of(const Arena& arena, const std::vector<Slice>& slices, int group);

int64_t size_of(const std::vector<Slice>& slices);  // in elements

// Optimizer::step()'s scalar as the kernels take it: where it is 1 they leave everything as it is.
inline std::optional<at::Tensor> found_inf(const at::Tensor& left_out) {
  return left_out.defined() ? std::optional(left_out) : std::nullopt;
}

}  // namespace sft
