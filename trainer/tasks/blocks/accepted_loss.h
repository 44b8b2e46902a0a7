// Which settings of [train] a task can learn by; all others are refused by name.
#pragma once

#include "trainer/tasks/loss_config.h"

namespace sft {

struct AcceptedLoss {
  const char* targets;  // "one label a row is": the beginning of "… learned by"
  StringList kinds;     // of train.loss, beside auto
  bool class_weights = false, pos_weight = false, label_smoothing = false, priors = false, teacher = false;
};

// ConfigError naming the key, its value and what the task takes.
void require_accepted(const LossConfig& loss, const AcceptedLoss& accepted);

}  // namespace sft
