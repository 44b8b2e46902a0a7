#include "trainer/config/run_config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <tuple>

#include "base/errors.h"
#include "base/output_file.h"
#include "base/text.h"
#include "trainer/config/other_trainers.h"
#include "trainer/config/training_keys.h"
#include "trainer/metrics/generation/bleu_tokenizer.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostRows = int64_t{1} << 30;  // of an update
constexpr int64_t kMostThreads = 1024;

bool has_validation_data(const RunConfig& config) {
  return !config.data.validation_file.empty() || config.data.validation_split > 0;
}

[[noreturn]] void refuse(const Origins& origins, const std::string& key, const std::string& what) {
  throw ConfigError(concat(place_of(origins, key), key, what));
}

// Keys that say nothing under the other settings. Only a value that differs from the default is
// worth a word: a resolved config lists every key.
StringList keys_without_effect(const RunConfig& config, const Origins& origins) {
  const std::string& when = config.eval.eval_strategy;
  const bool is_sgd = config.optim.optim == "sgd";
  const std::string because_optim = "optim.optim is " + config.optim.optim;
  const std::string because_data = "there is no validation data (data.validation_file or data.validation_split)";
  struct Idle {
    bool here;
    std::string key;
    std::string because;
  };
  std::vector<Idle> idle = {
      {config.train.max_steps > 0, "train.num_train_epochs", "train.max_steps is set"},
      {config.train.loss.kind != "focal", "train.focal_gamma", "train.loss is " + config.train.loss.kind},
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
      {config.data.validation_split == 0, "data.group_column", "data.validation_split is 0"},
      {!config.data.validation_file.empty(), "data.validation_split", "data.validation_file is given"},
      {!has_validation_data(config) && config.data.test_file.empty(), "data.max_eval_samples", because_data},
      {!has_validation_data(config) && config.data.test_file.empty(), "eval.metrics", because_data},
      {config.freeze.freeze.empty() && config.freeze.all_but_last < 0, "freeze.trainable", "nothing is frozen"},
  };
  const StringList& read = task_named(config.model.task).keys;
  for (const std::string& key : keys_of_some_tasks())
    idle.push_back({std::ranges::find(read, key) == read.end(), key, "model.task is " + config.model.task});
  for (const char* key : {"data.crop_scale", "data.crop_ratio", "data.stored_size"})
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

void require_given(const RunConfig& config, const std::string& path) {
  const auto require = [&](bool given, const char* key, const char* example) {
    if (!given) throw ConfigError(concat(path, ": ", key, " is missing; it wants a value such as ", example));
  };
  require(!config.output_dir.empty(), "output_dir", "\"runs/first\"");
  require(!config.model.model_name_or_path.empty(), "model.model_name_or_path", "\"models/minilm\"");
  require(!config.data.train_file.empty(), "data.train_file", "\"data/train.jsonl\"");
}

// A count of updates is whole; below 1 it is a share, and a ratio is never anything else.
void check_steps(const RunConfig& config, const Origins& origins) {
  const std::pair<const char*, double> counts[] = {{"eval.eval_steps", config.eval.eval_steps},
                                                   {"save.save_steps", config.save.save_steps},
                                                   {"log.logging_steps", config.log.logging_steps},
                                                   {"scheduler.warmup_steps", config.scheduler.warmup_steps}};
  for (const auto& [key, value] : counts)
    if (value >= 1 && value != std::floor(value))
      refuse(origins, key, concat(": wanted a whole number of updates or a share below 1, found ", value));
  const auto warmup = origins.find("scheduler.warmup_steps");
  if (warmup != origins.end() && warmup->second.name == "warmup_ratio" && config.scheduler.warmup_steps >= 1)
    refuse(origins, "scheduler.warmup_steps",
           concat(": as warmup_ratio it wants a share below 1, found ", config.scheduler.warmup_steps));
}

void check_task(const std::string& task, const Origins& origins) {
  const StringList names = task_names();
  if (std::ranges::find(names, task) == names.end())
    refuse(origins, "model.task",
           concat(" = ", in_quotes(task), " is not built yet; built: ", join(names, ", "), did_you_mean(task, names)));
}

// A task whose rows name no problem type has one alone.
void check_problem_type(const ModelConfig& model, const Origins& origins) {
  StringList built;
  for (const TaskKind& kind : tasks())
    if (model.task == kind.name && *kind.problem_type != '\0') built.emplace_back(kind.problem_type);
  if (model.problem_type.empty() || built.empty() || std::ranges::find(built, model.problem_type) != built.end())
    return;
  refuse(
      origins, "model.problem_type",
      concat(" = ", in_quotes(model.problem_type), " is not built for ", model.task, "; built: ", join(built, ", ")));
}

void check_crops(const DataConfig& data, const Origins& origins) {
  const auto require_range = [&](const char* key, const NumberList& range, double most, const char* wanted) {
    if (range.size() != 2 || range[0] > range[1] || range[1] > most)
      refuse(origins, key, concat(": wanted [least, most], ", wanted));
  };
  require_range("data.crop_scale", data.crop_scale, 1.0, "shares of an image's area up to 1, as [0.08, 1.0]");
  require_range("data.crop_ratio", data.crop_ratio, INFINITY, "two ratios of width to height, as [0.75, 1.3333]");
  if (data.stored_size > 0 && data.stored_size < data.image_size)
    refuse(origins, "data.stored_size",
           concat(" is ", data.stored_size, ", less than data.image_size, ", data.image_size,
                  ": images would be kept with fewer pixels than the model sees"));
}

void check_truncation(const RunConfig& config, const Origins& origins) {
  const StringList& taken = task_named(config.model.task).truncations;
  if (std::ranges::find(taken, config.data.truncation) == taken.end())
    refuse(origins, "data.truncation",
           concat(" = ", in_quotes(config.data.truncation), " is not for ", config.model.task,
                  "; wanted one of: ", join(taken, ", ")));
}

void check_columns(const RunConfig& config, const Origins& origins) {
  const StringList& texts = config.data.text_column;
  if (texts.empty() || std::ranges::any_of(texts, &std::string::empty))
    refuse(origins, "data.text_column", ": wanted the name of a column, or of several, found none");
  const TaskKind& task = task_named(config.model.task);
  if (config.data.label_column.empty() && *task.label_column != '\0')
    refuse(origins, "data.label_column", ": wanted the name of a column");
}

// Counts stay far from where their products leave 64 bits, and threads from where a machine is busy with them alone.
void check_counts(const RunConfig& config, const Origins& origins) {
  const TrainConfig& train = config.train;
  for (const auto& [key, value, most] :
       {std::tuple{"train.global_batch_size", train.global_batch_size, kMostRows},
        {"train.per_device_train_batch_size", train.per_device_train_batch_size, kMostRows},
        {"train.max_steps", train.max_steps, kMostUpdates},
        {"threads", config.threads, kMostThreads}})
    if (value > most) refuse(origins, key, concat(": wanted at most ", most, ", found ", value));
}

// A rate of 0 may be meant, to see what a model does before it is trained.
void check_rate(const RunConfig& config, const Origins& origins, StringList& warnings) {
  if (config.optim.learning_rate == 0)
    warnings.push_back(
        concat(place_of(origins, "optim.learning_rate"), "optim.learning_rate is 0: no update changes the model"));
}

void check_together(const RunConfig& config, const Origins& origins) {
  check_columns(config, origins);
  check_counts(config, origins);
  check_problem_type(config.model, origins);
  check_truncation(config, origins);
  for (const auto& [key, numbers] : {std::pair{"data.mean", &config.data.mean}, {"data.std", &config.data.std}})
    if (!numbers->empty() && numbers->size() != 3 && numbers->size() != 1)
      refuse(origins, key,
             concat(": wanted three numbers, of red, green and blue, or one of grey, found ", numbers->size()));
  check_crops(config.data, origins);
  if (config.lora.is_on()) refuse_beside_adapters(config.freeze);
  if (config.lora.is_on() && config.model.init == "random")
    refuse(origins, "lora.r", ": adapters stand on pretrained weights, and model.init is random");
  if (config.train.l2_from_start > 0 && config.model.init == "random")
    refuse(origins, "train.l2_from_start",
           ": there are no pretrained weights to stay near, model.init is random; train.l2 draws towards 0");
  check_steps(config, origins);
  seconds_of(config.train.max_time, place_of(origins, "train.max_time") + "train.max_time");
  if (config.train.max_steps == 0) refuse(origins, "train.max_steps", ": wanted a number of updates or -1, found 0");
  if (config.train.gradient_accumulation_steps > 0 && config.train.per_device_train_batch_size == 0)
    refuse(origins, "train.gradient_accumulation_steps",
           " needs train.per_device_train_batch_size; train.global_batch_size alone says what an update is");
  if (config.eval.eval_strategy == "no") {
    const char* needs = " needs evaluation: eval.eval_strategy epoch or steps, and validation data";
    if (config.eval.early_stopping_patience > 0) refuse(origins, "eval.early_stopping_patience", needs);
    if (config.eval.load_best_model_at_end) refuse(origins, "eval.load_best_model_at_end", needs);
    if (config.save.save_strategy == "best") refuse(origins, "save.save_strategy", concat(" = 'best'", needs));
  }
  if (config.eval.load_best_model_at_end && config.save.save_strategy == "no")
    refuse(origins, "save.save_strategy", " = 'no' leaves no best checkpoint for eval.load_best_model_at_end");
  if (config.log.report_to.size() > 1 && std::ranges::find(config.log.report_to, "none") != config.log.report_to.end())
    refuse(origins, "log.report_to", ": 'none' stands alone");
}

// Warns of files that are named twice, through whatever links. Answers their identities.
std::set<std::string> distinct_files(const StringList& files, const std::string& key, const Origins& origins,
                                     StringList& warnings) {
  std::set<std::string> distinct;
  for (const std::string& file : files)
    if (!distinct.insert(file_identity(file)).second)
      warnings.push_back(
          concat(place_of(origins, key), key, ": ", in_quotes(file, 400), " is named twice: its rows count twice"));
  return distinct;
}

void check_files(const RunConfig& config, const Origins& origins, StringList& warnings) {
  const Accepts accepts = accepted_by(config.model.task);
  const StringList train_files = expand_files(config.data.train_file, "data.train_file", origins, accepts);
  const std::set<std::string> train = distinct_files(train_files, "data.train_file", origins, warnings);
  for (const auto& [key, patterns] :
       {std::pair{"data.validation_file", &config.data.validation_file}, {"data.test_file", &config.data.test_file}}) {
    const StringList files = expand_files(*patterns, key, origins, accepts);
    distinct_files(files, key, origins, warnings);
    for (const std::string& file : files)
      if (train.contains(file_identity(file)))
        warnings.push_back(concat(place_of(origins, key), key, ": ", in_quotes(file, 400),
                                  " is among the training files: evaluation will look better than it is"));
  }
  const std::string& resume = config.resume_from_checkpoint;
  if (resume != "auto" && resume != "none" && !fs::is_directory(resume))
    refuse(origins, "resume_from_checkpoint",
           concat(": wanted auto, none or a checkpoint directory, found ", in_quotes(resume, 400)));
}

// What compensates for rare classes twice is allowed, and seldom meant.
void check_balance(const RunConfig& config, const Origins& origins, StringList& warnings) {
  if (config.data.train_sampling_strategy == "balanced" && config.train.loss.logit_adjustment > 0)
    warnings.push_back(concat(place_of(origins, "train.logit_adjustment"),
                              "train.logit_adjustment favours rare classes once more, which "
                              "data.train_sampling_strategy = 'balanced' draws as often as the others already"));
  if (config.data.train_sampling_strategy == "balanced" && config.train.loss.class_weights.word == "balanced")
    warnings.push_back(concat(place_of(origins, "train.class_weights"),
                              "train.class_weights = 'balanced' favours rare classes once more, which "
                              "data.train_sampling_strategy = 'balanced' draws as often as the others already"));
}

}  // namespace

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
  check_together(config, loaded.origins);
  check_balance(config, loaded.origins, loaded.warnings);
  check_rate(config, loaded.origins, loaded.warnings);
  check_files(config, loaded.origins, loaded.warnings);
  return loaded;
}

int64_t resolve_global_batch_size(const RunConfig& config, const Origins& origins, int world) {
  const TrainConfig& train = config.train;
  if (train.per_device_train_batch_size == 0) return train.global_batch_size;
  const int64_t accumulated = std::max<int64_t>(train.gradient_accumulation_steps, 1);
  int64_t rows = 0;
  if (__builtin_mul_overflow(train.per_device_train_batch_size, accumulated, &rows) ||
      __builtin_mul_overflow(rows, int64_t{world}, &rows))
    refuse(origins, "train.per_device_train_batch_size", " × gradient_accumulation_steps × ranks is too large");
  if (origins.contains("train.global_batch_size") && rows != train.global_batch_size)
    refuse(
        origins, "train.global_batch_size",
        concat(" = ", train.global_batch_size,
               " contradicts per_device_train_batch_size × gradient_accumulation_steps × ranks = ",
               train.per_device_train_batch_size, " × ", accumulated, " × ", world, " = ", rows, "; give one of them"));
  if (rows > kMostRows)
    refuse(origins, "train.per_device_train_batch_size",
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
