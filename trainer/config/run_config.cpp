#include "trainer/config/run_config.h"

#include <cmath>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/config/checks.h"
#include "trainer/config/idle_keys.h"
#include "trainer/config/other_trainers.h"
#include "trainer/config/training_keys.h"
#include "trainer/metrics/generation/bleu_tokenizer.h"
#include "trainer/tasks/tasks.h"

namespace sft {

RunConfig::RunConfig() {
  for (const TaskKind& kind : tasks()) {
    data.extra.add(kind.data);
    eval.scores.extra.add(kind.eval);
  }
}

bool has_validation_data(const RunConfig& config) {
  return !config.data.validation_file.empty() || holds_out(config.data);
}

LoadedConfig load_run_config(const std::string& path, const std::vector<std::string>& overrides) {
  LoadedConfig loaded;
  RunConfig& config = loaded.config;
  const BoundFields fields = bind_fields(config);
  try {
    load_file(fields, path, loaded.origins);
    apply_overrides(fields, overrides, loaded.origins);
  } catch (const UnknownKey& error) {
    const std::string_view here = said_here(error.name);
    if (here.empty()) throw;
    const std::string told = error.what();
    throw ConfigError(concat(told.substr(0, told.find(" (did you mean")), "; here: ", here));
  }

  require_given(config, path);
  check_task(config.model.task, loaded.origins);
  loaded.warnings = keys_without_effect(config, loaded.origins);
  const TaskKind& task = task_named(config.model.task);
  if (!loaded.origins.contains("data.text_column")) config.data.text_column = {task.text_column};
  if (!loaded.origins.contains("data.label_column")) config.data.label_column = task.label_column;
  if (!loaded.origins.contains("data.truncation")) config.data.truncation = task.truncations.front();
  if (!loaded.origins.contains("data.max_length") && task.max_length > 0) config.data.max_length = task.max_length;
  if (!loaded.origins.contains("eval.bleu_tokenize"))
    config.eval.scores.generation.bleu_tokenize = bleu_tokenizer_of_language(config.data.pairs.target_lang);
  if (config.eval.early_stopping_patience > 0) config.eval.load_best_model_at_end = true;
  if (!has_validation_data(config)) config.eval.eval_strategy = "no";
  if (config.eval.eval_strategy == "auto") config.eval.eval_strategy = "epoch";
  check_together(config, loaded.origins, loaded.warnings);
  return loaded;
}

int64_t resolve_global_batch_size(const RunConfig& config, const Origins& origins, int world) {
  const TrainConfig& train = config.train;
  if (train.per_device_train_batch_size == 0) return train.global_batch_size;
  const int64_t accumulated = std::max<int64_t>(train.gradient_accumulation_steps, 1);
  int64_t rows = 0;
  if (__builtin_mul_overflow(train.per_device_train_batch_size, accumulated, &rows) ||
      __builtin_mul_overflow(rows, int64_t{world}, &rows))
    refuse_key(origins, "train.per_device_train_batch_size", " × gradient_accumulation_steps × ranks is too large");
  if (origins.contains("train.global_batch_size") && rows != train.global_batch_size)
    refuse_key(
        origins, "train.global_batch_size",
        concat(" = ", train.global_batch_size,
               " contradicts per_device_train_batch_size × gradient_accumulation_steps × ranks = ",
               train.per_device_train_batch_size, " × ", accumulated, " × ", world, " = ", rows, "; give one of them"));
  if (rows > kMostRows)
    refuse_key(origins, "train.per_device_train_batch_size",
               concat(" × gradient_accumulation_steps × ranks: wanted at most ", kMostRows, ", found ", rows));
  return rows;
}

Accepts accepted_by(const std::string& task) {
  return task_named(task).takes == Takes::pictures ? Accepts::folders_too : Accepts::files;
}

double seconds_of(const std::string& duration, const std::string& what) {
  const auto malformed = [&] {
    return ConfigError(concat(what, ": wanted a duration such as 3h30m, 45m or 90s, found ", in_quotes(duration)));
  };
  double seconds = 0;
  std::string units = "dhms";  // each at most once, in this order
  for (size_t at = 0; at < duration.size(); ++at) {
    const size_t end = duration.find_first_not_of("0123456789", at);
    if (end == at || end == std::string::npos || end - at > 9) throw malformed();
    const size_t unit = units.find(duration[end]);
    if (unit == std::string::npos) throw malformed();
    const double worth = duration[end] == 'd' ? 86400 : duration[end] == 'h' ? 3600 : duration[end] == 'm' ? 60 : 1;
    seconds += worth * std::stod(duration.substr(at, end - at));
    units.erase(0, unit + 1);
    at = end;
  }
  if (!duration.empty() && seconds == 0) throw malformed();
  return seconds;
}

int64_t steps_of(double value, int64_t total) {
  if (value >= 1) return std::llround(value);
  return static_cast<int64_t>(std::ceil(value * static_cast<double>(total)));
}

}  // namespace sft
