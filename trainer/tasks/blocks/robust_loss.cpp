#include "trainer/tasks/blocks/robust_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/log_softmax.h>

namespace sft {
namespace {

constexpr double kLogOfZero = -4;  // Wang et al.'s A

at::Tensor of_label(const at::Tensor& likely_BK, const at::Tensor& labels_B) {
  return likely_BK.gather(1, labels_B.unsqueeze(1)).squeeze(1);
}

RowLoss generalized_cross_entropy(double q) {
  return [q](const at::Tensor& likely_BK, const at::Tensor& labels_B) {
    return at::expm1(of_label(likely_BK, labels_B) * q) * (-1 / q);
  };
}

RowLoss symmetric_cross_entropy(double alpha, double beta) {
  return [alpha, beta](const at::Tensor& likely_BK, const at::Tensor& labels_B) {
    const at::Tensor likely_B = of_label(likely_BK, labels_B);
    return -alpha * likely_B + beta * kLogOfZero * at::expm1(likely_B);
  };
}

RowLoss soft_bootstrap(double beta) {
  return [beta](const at::Tensor& likely_BK, const at::Tensor& labels_B) {
    const at::Tensor entropy_B = -(likely_BK.exp() * likely_BK).sum(1);
    return -beta * of_label(likely_BK, labels_B) + (1 - beta) * entropy_B;
  };
}

}  // namespace

bool is_robust(const std::string& kind) { return kind == "gce" || kind == "sce" || kind == "bootstrap"; }

RowLoss robust_loss(const LossConfig& loss) {
  if (loss.kind == "gce") return generalized_cross_entropy(loss.gce_q);
  if (loss.kind == "sce") return symmetric_cross_entropy(loss.sce_alpha, loss.sce_beta);
  if (loss.kind == "bootstrap") return soft_bootstrap(loss.bootstrap_beta);
  return nullptr;
}

at::Tensor robust_sum(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& class_weights,
                      const at::Tensor& sample_weights, const RowLoss& loss) {
  const at::Tensor target = labels.clamp_min(0);
  const at::Tensor rows = sample_weights * labels.ge(0).to(logits.scalar_type());
  return (rows * class_weights.index_select(0, target) * loss(at::log_softmax(logits, 1), target)).sum();
}

}  // namespace sft
