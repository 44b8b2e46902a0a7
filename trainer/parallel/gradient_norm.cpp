#include "trainer/parallel/gradient_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>

namespace sft {

// One fp32 sum over 22 million squares is off by 1e-3 on a CPU; norms of rows and their norm in float64 are off by
// 3e-9 at the same speed.
at::Tensor norms_of_rows(const at::Tensor& flat) {
  const int64_t num_rows = flat.numel() / kNormRow, in_rows = num_rows * kNormRow;
  const at::Tensor rows =
      at::linalg_vector_norm(flat.narrow(0, 0, in_rows).view({num_rows, kNormRow}), 2, at::IntArrayRef{1});
  if (in_rows == flat.numel()) return rows;
  const at::Tensor rest = flat.narrow(0, in_rows, flat.numel() - in_rows).unsqueeze(0);
  return at::cat({rows, at::linalg_vector_norm(rest, 2, at::IntArrayRef{1})});
}

at::Tensor norm_of_norms(const at::Tensor& rows) {
  return at::linalg_vector_norm(rows, 2, std::nullopt, /*keepdim=*/false, at::kDouble).to(rows.scalar_type());
}

void scale_to_norm(const std::vector<at::Tensor>& runs, const at::Tensor& norm, double max_norm) {
  const at::Tensor scale = (max_norm / (norm + 1e-6)).clamp_max(1.0);
  // A device is not asked for the number; a CPU has it, and is spared a pass over the buffer.
  if (scale.is_cpu() && scale.item<double>() == 1.0) return;
  for (const at::Tensor& run : runs) run.mul_(scale);
}

}  // namespace sft
