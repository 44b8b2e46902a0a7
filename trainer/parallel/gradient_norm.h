// The norm of a flat gradient buffer, and its clipping.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace sft {

// Elements whose norm is taken by itself first. On a CPU ranks that hold runs of whole rows have the norms of their
// rows in the bits of whoever holds all of them; a GPU's kernel may sum a row otherwise by the number of rows.
inline constexpr int64_t kNormRow = 1024;

// [⌈n / kNormRow⌉] norms of the rows of a flat tensor of n elements, the last one shorter.
at::Tensor norms_of_rows(const at::Tensor& flat);

// ‖flat‖₂ from norms_of_rows(flat), as a scalar on the device: fp32, or float64 for a float64 buffer.
at::Tensor norm_of_norms(const at::Tensor& rows);

inline at::Tensor norm_of(const at::Tensor& flat) { return norm_of_norms(norms_of_rows(flat)); }

// Scales the runs in place by min(1, max_norm / (norm + 1e-6)), torch's clip_grad_norm_.
void scale_to_norm(const std::vector<at::Tensor>& runs, const at::Tensor& norm, double max_norm);

}  // namespace sft
