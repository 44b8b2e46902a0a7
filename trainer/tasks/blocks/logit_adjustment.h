// What is known of how often each label comes, taken into account (Menon et al., "Long-tail learning via logit
// adjustment", 2021): τ log π is added to the logits that are trained, after which the largest logit is the choice of
// least balanced error; or it is taken from the output layer's bias once the model is trained. Of sets of labels it is
// τ times the log-odds of each.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/tasks/task.h"

namespace sft {

class LogitAdjustment {
 public:
  enum class Of { one_label, sets };

  // None where train.logit_adjustment is 0. ConfigError where the priors do not name all labels or a label has none,
  // and where they are to be taken from a bias and `bias_K` is undefined.
  LogitAdjustment(const TaskSettings& settings, Of targets, const at::Tensor& bias_K);

  // logits_BK as the training loss takes them.
  at::Tensor in_loss(const at::Tensor& logits_BK) const;

  // Of logit_adjustment_at = "export": takes the priors from the bias, each time it is called.
  void take_from_bias() const;

 private:
  at::Tensor in_loss_K_, at_export_K_, bias_K_;
};

// The share of each label in (0, 1), by id: as the config names them, else by the counts of training rows. ConfigError
// as above.
std::vector<double> label_priors(const LossConfig& loss, const Labels& labels, LogitAdjustment::Of targets);

}  // namespace sft
