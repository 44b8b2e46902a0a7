// Cross-entropy as a sum and the weight it is to be divided by.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace sft {

constexpr int64_t kIgnoredLabel = -100;

// logits [B, K]; labels int64 [B], a negative one (kIgnoredLabel) leaves its row out; class_weights [K] and
// sample_weights [B] of the logits' dtype.
//   Σ_i s_i ((1 − ε) w_yi (−log p_i,yi) + ε/K Σ_c w_c (−log p_i,c))
// which divided by Σ_i s_i w_yi is torch.nn.functional.cross_entropy(weight = w, label_smoothing = ε) where all s_i
// are 1.
//
// With a focal γ > 0 each −log p is turned down where the model is sure already: (1 − p)^γ (−log p), which without
// smoothing is the focal loss (Lin et al., "Focal loss for dense object detection", 2017, eq. 5, with w as α). The
// weight it is to be divided by stays the same.
at::Tensor cross_entropy_sum(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& class_weights,
                             const at::Tensor& sample_weights, double label_smoothing, double focal_gamma = 0);

// Σ_i s_i w_yi over rows that are not ignored, in double whatever the tensors are.
double cross_entropy_weight(std::span<const int64_t> labels, const std::vector<float>& sample_weights,
                            const std::vector<double>& class_weights);

}  // namespace sft
