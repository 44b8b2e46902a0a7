// Losses of one label a row that wrong labels move less than the cross-entropy, as a sum.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "trainer/tasks/loss_config.h"

namespace sft {

// From log p [B, K] and labels int64 [B], none negative, the loss of each row [B].
using RowLoss = std::function<at::Tensor(const at::Tensor& likely_BK, const at::Tensor& labels_B)>;

bool is_robust(const std::string& kind);  // of train.loss

// As train.loss says, y being the label:
//   gce        (1 − p_y^q) / q (Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks
//              with noisy labels", 2018, eq. 6)
//   sce        α (−log p_y) + β · 4 (1 − p_y), which is α CE + β RCE with log 0 = −4 (Wang et al., "Symmetric cross
//              entropy for robust learning with noisy labels", 2019, eq. 7)
//   bootstrap  −Σ_c (β [c = y] + (1 − β) p_c) log p_c, the gradient going through both p (Reed et al., "Training deep
//              neural networks on noisy labels with bootstrapping", 2015, eq. 6)
// Null where it names none of them.
RowLoss robust_loss(const LossConfig& loss);

// Σ_i s_i w_yi ℓ_i over rows whose label is not negative; arguments and the weight that it is to be divided by are
// those of cross_entropy_sum().
at::Tensor robust_sum(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& class_weights,
                      const at::Tensor& sample_weights, const RowLoss& loss);

}  // namespace sft
