#include "trainer/config/idle_keys.h"

#include <algorithm>

#include "base/text.h"
#include "trainer/tasks/tasks.h"

namespace sft {

StringList keys_without_effect(const RunConfig& config, const Origins& origins) {
  const std::string& when = config.eval.eval_strategy;
  const bool is_sgd = config.optim.optim == "sgd";
  const std::string because_optim = "optim.optim is " + config.optim.optim;
  const std::string because_data =
      "there is no validation data (data.validation_file, data.validation_split or data.fold)";
  struct Idle {
    bool here;
    std::string key;
    std::string because;
  };
  std::vector<Idle> idle = {
      {config.train.max_steps > 0, "train.num_train_epochs", "train.max_steps is set"},
      {config.train.loss.kind != "focal", "train.focal_gamma", "train.loss is " + config.train.loss.kind},
      {config.train.loss.kind != "gce", "train.gce_q", "train.loss is " + config.train.loss.kind},
      {config.train.loss.kind != "sce", "train.sce_alpha", "train.loss is " + config.train.loss.kind},
      {config.train.loss.kind != "sce", "train.sce_beta", "train.loss is " + config.train.loss.kind},
      {config.train.loss.kind != "bootstrap", "train.bootstrap_beta", "train.loss is " + config.train.loss.kind},
      {config.train.loss.kind != "huber", "train.huber_delta", "train.loss is " + config.train.loss.kind},
      {config.train.loss.logit_adjustment == 0, "train.logit_adjustment_at", "train.logit_adjustment is 0"},
      {config.train.loss.logit_adjustment == 0, "train.label_priors", "train.logit_adjustment is 0"},
      {config.train.loss.distill_weight == 0, "train.distill_temperature", "train.distill_weight is 0"},
      {config.train.loss.distill_weight == 0, "data.teacher_column", "train.distill_weight is 0"},
      {!is_sgd, "optim.momentum", because_optim},
      {!is_sgd, "optim.nesterov", because_optim},
      {is_sgd && config.optim.momentum == 0, "optim.nesterov", "optim.momentum is 0"},
      {is_sgd, "optim.adam_beta1", because_optim},
      {is_sgd, "optim.adam_beta2", because_optim},
      {is_sgd, "optim.adam_epsilon", because_optim},
      {is_sgd, "optim.adam_epsilon_style", because_optim},
      {config.scheduler.lr_scheduler_type == "constant", "scheduler.warmup_steps",
       "lr_scheduler_type is constant (constant_with_warmup warms up)"},
      {config.save.save_strategy != "steps", "save.save_steps", "save.save_strategy is " + config.save.save_strategy},
      {config.save.save_strategy == "no", "save.save_total_limit", "save.save_strategy is no"},
      {!holds_out(config.data), "data.group_column", "data.validation_split is 0 and data.fold is not given"},
      {!config.data.validation_file.empty(), "data.validation_split", "data.validation_file is given"},
      {!has_validation_data(config) && config.data.test_file.empty(), "data.max_eval_samples", because_data},
      {!has_validation_data(config) && config.data.test_file.empty(), "eval.metrics", because_data},
      {config.data.test_file.empty(), "eval.explain", "data.test_file is not given"},
      {config.freeze.freeze.empty() && config.freeze.all_but_last < 0, "freeze.trainable", "nothing is frozen"},
  };
  const StringList read = keys_of(task_named(config.model.task));
  for (const std::string& key : keys_of_some_tasks())
    idle.push_back({std::ranges::find(read, key) == read.end(), key, "model.task is " + config.model.task});
  const bool keeps_larger = config.data.crop == "random_resized" || !config.data.random_scale.empty();
  idle.push_back({!keeps_larger, "data.stored_size", "data.crop is " + config.data.crop});
  for (const char* key : {"data.crop_scale", "data.crop_ratio"})
    idle.push_back({config.data.crop != "random_resized", key, "data.crop is " + config.data.crop});
  idle.push_back({config.data.crop == "center" && config.data.image_size == 0, "data.crop", "data.image_size is 0"});
  idle.push_back(
      {config.train.batch_norm == "frozen", "freeze.freeze_batch_norm_statistics", "train.batch_norm is frozen"});
  for (const char* key : {"lora_alpha", "lora_dropout", "target_modules", "use_rslora"})
    idle.push_back({!config.lora.is_on(), concat("lora.", key), "lora.r is 0"});
  if (!has_validation_data(config)) {
    idle.push_back({when != "no", "eval.eval_strategy", because_data});
    for (const char* key : {"eval.eval_steps", "eval.metric_for_best_model", "eval.greater_is_better"})
      idle.push_back({true, key, because_data});
  } else {
    idle.push_back({when != "steps", "eval.eval_steps", "eval.eval_strategy is " + when});
  }

  StringList warnings;
  const auto changed = differences(RunConfig{}, config);
  for (const auto& [here, key, because] : idle)
    if (here && origins.contains(key) &&
        std::ranges::any_of(changed, [&](const Difference& d) { return d.key == key; }))
      warnings.push_back(concat(place_of(origins, key), key, " has no effect: ", because));
  return warnings;
}

}  // namespace sft
