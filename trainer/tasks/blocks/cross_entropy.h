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

// The same with a distribution p_i over the classes, targets_BK, in place of a label:
//   Σ_i s_i Σ_c w_c ((1 − ε) p_ic + ε/K) (−log q_ic)
// which divided by Σ_i s_i is torch's cross_entropy of class probabilities where all s_i are 1.
at::Tensor soft_cross_entropy_sum(const at::Tensor& logits, const at::Tensor& targets_BK,
                                  const at::Tensor& class_weights, const at::Tensor& sample_weights,
                                  double label_smoothing, double focal_gamma = 0);

// T² Σ_i s_i Σ_c t_ic (log t_ic − log q_ic), where t and q are the softmax of a teacher's logits and of the model's,
// both divided by T (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015, section 2): T²
// times torch's kl_div(reduction = "sum") where all s_i are 1.
at::Tensor distillation_sum(const at::Tensor& logits, const at::Tensor& teacher_BK, const at::Tensor& sample_weights,
                            double temperature);

// Σ_i s_i w_yi over rows that are not ignored, in double whatever the tensors are.
double cross_entropy_weight(std::span<const int64_t> labels, const std::vector<float>& sample_weights,
                            const std::vector<double>& class_weights);

}  // namespace sft
