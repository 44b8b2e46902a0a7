// The [eval] section.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"
#include "trainer/tasks/loss_config.h"

namespace sft {

struct EvalConfig {
  std::string eval_strategy = "auto";
  double eval_steps = 500;
  int64_t per_device_eval_batch_size = 64;
  ScoreConfig scores;
  std::string metric_for_best_model = "auto";
  AutoBool greater_is_better = AutoBool::automatic;
  int64_t early_stopping_patience = 0;
  bool load_best_model_at_end = false;
  std::string explain = "no";

  static constexpr auto fields() {
    return std::tuple{
        field("eval_strategy", &EvalConfig::eval_strategy, "auto: epoch where there is validation data, else no",
              one_of("auto", "no", "steps", "epoch"))
            .alias("evaluation_strategy"),
        field("eval_steps", &EvalConfig::eval_steps, "updates between evaluations; below 1 a share of all", above(0.0)),
        field("per_device_eval_batch_size", &EvalConfig::per_device_eval_batch_size, "rows a rank evaluates at once",
              at_least(int64_t{1})),
        splice(&EvalConfig::scores),
        field("metric_for_best_model", &EvalConfig::metric_for_best_model,
              "auto: the task's first; the prefix eval_ may be there or not"),
        field("greater_is_better", &EvalConfig::greater_is_better, "auto: false for loss and errors"),
        field("early_stopping_patience", &EvalConfig::early_stopping_patience,
              "evaluations without a better metric before the run ends; 0: off", at_least(int64_t{0})),
        field("load_best_model_at_end", &EvalConfig::load_best_model_at_end,
              "export the best checkpoint, not the last"),
        field("explain", &EvalConfig::explain,
              "of one label a row: tell of each test row in predictions.jsonl what its prediction hangs on, as predict "
              "--explain does; the report colours the words of mistakes",
              one_of("no", "gradient", "integrated", "occlusion"))};
  }
};

}  // namespace sft
