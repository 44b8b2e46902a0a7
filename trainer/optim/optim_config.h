// The [optim] and [scheduler] sections.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"

namespace sft {

struct OptimConfig {
  std::string optim = "adamw";
  double learning_rate = 5e-5;
  double weight_decay = 0.0;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  std::string adam_epsilon_style = "torch";
  double momentum = 0.0;
  bool nesterov = false;
  double head_lr_multiplier = 1.0;
  double layer_decay = 1.0;

  static constexpr auto fields() {
    return std::tuple{
        field("optim", &OptimConfig::optim, "update rule",
              one_of("adamw", "adam", "sgd")
                  .alias("adamw_torch", "adamw")
                  .alias("adamw_torch_fused", "adamw")
                  .not_built("adafactor", "adamw_8bit", "adamw_bnb_8bit", "paged_adamw_8bit", "lion")),
        field("learning_rate", &OptimConfig::learning_rate, "peak rate of the schedule", at_least(0.0)).alias("lr"),
        field("weight_decay", &OptimConfig::weight_decay, "decoupled for adamw; biases and norm weights excluded",
              at_least(0.0)),
        field("adam_beta1", &OptimConfig::adam_beta1, "decay of the first moment", at_least(0.0).below(1.0)),
        field("adam_beta2", &OptimConfig::adam_beta2, "decay of the second moment", at_least(0.0).below(1.0)),
        field("adam_epsilon", &OptimConfig::adam_epsilon, "added to the root of the second moment", at_least(1e-37)),
        field("adam_epsilon_style", &OptimConfig::adam_epsilon_style,
              "keras: added to the root before its bias is corrected, the paper's epsilon hat (adam_epsilon is 1e-7 "
              "there)",
              one_of("torch", "keras")),
        field("momentum", &OptimConfig::momentum, "of sgd", at_least(0.0).below(1.0)),
        field("nesterov", &OptimConfig::nesterov, "Nesterov's momentum for sgd"),
        field("head_lr_multiplier", &OptimConfig::head_lr_multiplier, "the new head's rate, as a multiple",
              at_least(0.0)),
        field("layer_decay", &OptimConfig::layer_decay, "rate of each block as a multiple of the block above",
              in_range(0.0, 1.0))};
  }
};

struct SchedulerConfig {
  std::string lr_scheduler_type = "linear";
  double warmup_steps = 0;
  double min_lr_ratio = 0.0;

  static constexpr auto fields() {
    return std::tuple{
        field("lr_scheduler_type", &SchedulerConfig::lr_scheduler_type, "shape of the rate over updates",
              one_of("linear", "cosine", "cosine_with_restarts", "constant", "constant_with_warmup", "polynomial",
                     "inverse_sqrt", "step", "exponential", "one_cycle", "reduce_lr_on_plateau")),
        field("warmup_steps", &SchedulerConfig::warmup_steps, "updates of linear warm-up; below 1 a share of all",
              at_least(0.0))
            .alias("warmup_ratio"),
        field("min_lr_ratio", &SchedulerConfig::min_lr_ratio, "the rate never falls below this share of the peak",
              in_range(0.0, 1.0))};
  }
};

}  // namespace sft
