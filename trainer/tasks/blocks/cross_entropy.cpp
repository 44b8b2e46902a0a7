#include "trainer/tasks/blocks/cross_entropy.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/log_softmax.h>

#include <limits>

namespace sft {

namespace {

// 1 − p is kept above 0, where a power below 1 has no finite slope.
at::Tensor focused(const at::Tensor& surprise, double gamma) {
  const double least = surprise.scalar_type() == at::kDouble ? std::numeric_limits<double>::min()
                                                             : double{std::numeric_limits<float>::min()};
  const at::Tensor doubt = -at::expm1(-surprise);
  return surprise * doubt.clamp_min(least).pow(gamma);
}

at::Tensor surprise_of(const at::Tensor& logits, double focal_gamma) {
  const at::Tensor surprise = -at::log_softmax(logits, 1);
  return focal_gamma > 0 ? focused(surprise, focal_gamma) : surprise;
}

}  // namespace

at::Tensor cross_entropy_sum(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& class_weights,
                             const at::Tensor& sample_weights, double label_smoothing, double focal_gamma) {
  const at::Tensor real = labels.ge(0);
  const at::Tensor target = labels.clamp_min(0);
  const at::Tensor rows = sample_weights * real.to(logits.scalar_type());
  const at::Tensor surprise = surprise_of(logits, focal_gamma);
  const at::Tensor of_target =
      surprise.gather(1, target.unsqueeze(1)).squeeze(1) * class_weights.index_select(0, target);
  if (label_smoothing == 0) return (rows * of_target).sum();
  const at::Tensor of_all = surprise.matmul(class_weights) * (label_smoothing / static_cast<double>(logits.size(1)));
  return (rows * ((1 - label_smoothing) * of_target + of_all)).sum();
}

at::Tensor soft_cross_entropy_sum(const at::Tensor& logits, const at::Tensor& targets_BK,
                                  const at::Tensor& class_weights, const at::Tensor& sample_weights,
                                  double label_smoothing, double focal_gamma) {
  const at::Tensor smooth_BK =
      targets_BK * (1 - label_smoothing) + label_smoothing / static_cast<double>(logits.size(1));
  return (sample_weights * (smooth_BK * surprise_of(logits, focal_gamma)).matmul(class_weights)).sum();
}

at::Tensor distillation_sum(const at::Tensor& logits, const at::Tensor& teacher_BK, const at::Tensor& sample_weights,
                            double temperature) {
  const at::Tensor teacher = at::log_softmax(teacher_BK / temperature, 1);
  const at::Tensor student = at::log_softmax(logits / temperature, 1);
  const at::Tensor divergence_B = (teacher.exp() * (teacher - student)).sum(1);
  return (sample_weights * divergence_B).sum() * (temperature * temperature);
}

double cross_entropy_weight(std::span<const int64_t> labels, const std::vector<float>& sample_weights,
                            const std::vector<double>& class_weights) {
  double weight = 0;
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] >= 0)
      weight += static_cast<double>(sample_weights[i]) * class_weights[static_cast<size_t>(labels[i])];
  return weight;
}

}  // namespace sft
