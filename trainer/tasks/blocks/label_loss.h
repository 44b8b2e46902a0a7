// The loss of one label a sample, or of a probability for each label: cross-entropy, focal or one that wrong labels
// move less, beside a teacher's logits where there are some, on logits that label priors adjust.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/tasks/blocks/logit_adjustment.h"
#include "trainer/tasks/blocks/robust_loss.h"
#include "trainer/tasks/task.h"

namespace sft {

class LabelLoss {
 public:
  // `bias_K`: of the output layer; undefined where it has none. ConfigError or DataError where the settings, the labels
  // and the training samples do not go together.
  LabelLoss(const TaskSettings& settings, const at::Tensor& bias_K);

  Needs needs() const;
  bool learns_distributions() const { return learns_distributions_; }

  // Σ_i s_i w_yi; of samples with a distribution Σ_i s_i, as torch's cross_entropy of probabilities divides.
  double weight(const Batch& batch) const;
  // (1 − α) · cross-entropy + α · distillation_sum(), a row's share in both being what it adds to weight() above. The
  // teacher's logits are compared with the model's own, without priors.
  at::Tensor sum(const at::Tensor& logits_BK, const Batch& batch) const;

  void conclude() const { adjustment_.take_from_bias(); }

 private:
  at::Tensor labels_sum(const at::Tensor& logits_BK, const at::Tensor& labels_B, const at::Tensor& weights_B,
                        const Batch& batch) const;

  int64_t num_labels_;
  double smoothing_;
  double focal_gamma_;  // 0: cross-entropy
  RowLoss robust_;      // null: one of these two
  double distill_weight_, temperature_;
  bool learns_distributions_;
  std::vector<double> class_weights_;
  at::Tensor class_weights_K_;
  LogitAdjustment adjustment_;
};

// Whether the samples of a batch have a probability for each label.
bool has_distributions(const Schema& schema);

}  // namespace sft
