#include "trainer/config/checks.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

#include "base/errors.h"
#include "base/output_file.h"
#include "base/text.h"
#include "data/loading/box_columns.h"
#include "data/prepare/split.h"
#include "trainer/config/training_keys.h"
#include "trainer/tasks/blocks/robust_loss.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostThreads = 1024;

// A count of updates is whole; below 1 it is a share, and a ratio is never anything else.
void check_steps(const RunConfig& config, const Origins& origins) {
  const std::pair<const char*, double> counts[] = {{"eval.eval_steps", config.eval.eval_steps},
                                                   {"save.save_steps", config.save.save_steps},
                                                   {"log.logging_steps", config.log.logging_steps},
                                                   {"scheduler.warmup_steps", config.scheduler.warmup_steps}};
  for (const auto& [key, value] : counts) {
    if (value >= 1 && value != std::floor(value))
      refuse_key(origins, key, concat(": wanted a whole number of updates or a share below 1, found ", value));
    if (value > static_cast<double>(kMostUpdates))
      refuse_key(origins, key, concat(": wanted at most ", kMostUpdates, " updates, found ", value));
  }
  const auto warmup = origins.find("scheduler.warmup_steps");
  if (warmup != origins.end() && warmup->second.name == "warmup_ratio" && config.scheduler.warmup_steps >= 1)
    refuse_key(origins, "scheduler.warmup_steps",
               concat(": as warmup_ratio it wants a share below 1, found ", config.scheduler.warmup_steps));
}

// A task whose rows name no problem type has one alone.
void check_problem_type(const ModelConfig& model, const Origins& origins) {
  StringList built;
  for (const TaskKind& kind : tasks())
    if (model.task == kind.name && *kind.problem_type != '\0') built.emplace_back(kind.problem_type);
  if (model.problem_type.empty() || built.empty() || std::ranges::find(built, model.problem_type) != built.end())
    return;
  refuse_key(
      origins, "model.problem_type",
      concat(" = ", in_quotes(model.problem_type), " is not built for ", model.task, "; built: ", join(built, ", ")));
}

void check_crops(const DataConfig& data, const Origins& origins) {
  const auto require_range = [&](const char* key, const NumberList& range, double most, const char* wanted) {
    if (range.size() != 2 || range[0] > range[1] || range[1] > most)
      refuse_key(origins, key, concat(": wanted [least, most], ", wanted));
  };
  require_range("data.crop_scale", data.crop_scale, 1.0, "shares of an image's area up to 1, as [0.08, 1.0]");
  require_range("data.crop_ratio", data.crop_ratio, INFINITY, "two ratios of width to height, as [0.75, 1.3333]");
  if (!data.random_scale.empty()) {
    require_range("data.random_scale", data.random_scale, 16.0, "two factors up to 16, as [0.5, 2.0]");
    if (data.crop == "random_resized")
      refuse_key(origins, "data.random_scale", ": data.crop is \"random_resized\", which resizes too; set one of them");
  }
  if (data.stored_size > 0 && data.stored_size < data.image_size)
    refuse_key(origins, "data.stored_size",
               concat(" is ", data.stored_size, ", less than data.image_size, ", data.image_size,
                      ": images would be kept with fewer pixels than the model sees"));
}

// Boxes are of whole pictures.
void check_crop_of_boxes(const RunConfig& config, const Origins& origins) {
  if (task_named(config.model.task).target.axis == kBoxAxis && config.data.crop != "none")
    refuse_key(origins, "data.crop",
               concat(" = ", in_quotes(config.data.crop), " is of tasks that cut images; ", config.model.task,
                      " fits them into squares: set data.random_scale instead"));
}

void check_truncation(const RunConfig& config, const Origins& origins) {
  const StringList& taken = task_named(config.model.task).truncations;
  if (std::ranges::find(taken, config.data.truncation) == taken.end())
    refuse_key(origins, "data.truncation",
               concat(" = ", in_quotes(config.data.truncation), " is not for ", config.model.task,
                      "; wanted one of: ", join(taken, ", ")));
}

void check_columns(const RunConfig& config, const Origins& origins) {
  const StringList& texts = config.data.text_column;
  if (texts.empty() || std::ranges::any_of(texts, &std::string::empty))
    refuse_key(origins, "data.text_column", ": wanted the name of a column, or of several, found none");
  const TaskKind& task = task_named(config.model.task);
  if (config.data.label_column.empty() && *task.label_column != '\0')
    refuse_key(origins, "data.label_column", ": wanted the name of a column");
}

// Counts stay far from where their products leave 64 bits, and threads from where a machine is busy with them alone.
void check_counts(const RunConfig& config, const Origins& origins) {
  const TrainConfig& train = config.train;
  for (const auto& [key, value, most] :
       {std::tuple{"train.global_batch_size", train.global_batch_size, kMostRows},
        {"train.per_device_train_batch_size", train.per_device_train_batch_size, kMostRows},
        {"train.max_steps", train.max_steps, kMostUpdates},
        {"threads", config.threads, kMostThreads}})
    if (value > most) refuse_key(origins, key, concat(": wanted at most ", most, ", found ", value));
}

// A rate of 0 may be meant, to see what a model does before it is trained.
void check_rate(const RunConfig& config, const Origins& origins, StringList& warnings) {
  if (config.optim.learning_rate == 0)
    warnings.push_back(
        concat(place_of(origins, "optim.learning_rate"), "optim.learning_rate is 0: no update changes the model"));
}

// These losses say themselves how far a label is believed.
void check_robust_loss(const LossConfig& loss, const Origins& origins) {
  if (!is_robust(loss.kind)) return;
  if (loss.label_smoothing_factor != 0)
    refuse_key(origins, "train.label_smoothing_factor",
               concat(" is ", loss.label_smoothing_factor, ", and train.loss = ", in_quotes(loss.kind),
                      " says how far a label is believed by a setting of its own; set it to 0, or take cross_entropy"));
  if (loss.kind == "sce" && loss.sce_alpha == 0 && loss.sce_beta == 0)
    refuse_key(origins, "train.sce_alpha", " and train.sce_beta are both 0: no label would be learned");
}

// The losses of plugins are known when these are loaded.
void check_loss(const RunConfig& config, const Origins& origins) {
  const StringList built = built_losses();
  const std::string& kind = config.train.loss.kind;
  if (config.plugins.empty() && std::ranges::find(built, kind) == built.end())
    refuse_key(origins, "train.loss",
               concat(": wanted one of ", join(built, ", "), ", found ", in_quotes(kind), did_you_mean(kind, built)));
}

void check_settings(const RunConfig& config, const Origins& origins) {
  check_loss(config, origins);
  check_columns(config, origins);
  check_counts(config, origins);
  check_problem_type(config.model, origins);
  check_truncation(config, origins);
  for (const auto& [key, numbers] : {std::pair{"data.mean", &config.data.mean}, {"data.std", &config.data.std}})
    if (!numbers->empty() && numbers->size() != 3 && numbers->size() != 1)
      refuse_key(origins, key,
                 concat(": wanted three numbers, of red, green and blue, or one of grey, found ", numbers->size()));
  check_crop_of_boxes(config, origins);
  check_crops(config.data, origins);
  check_robust_loss(config.train.loss, origins);
  if (config.lora.is_on()) refuse_beside_adapters(config.freeze);
  if (config.lora.is_on() && config.model.init == "random")
    refuse_key(origins, "lora.r", ": adapters stand on pretrained weights, and model.init is random");
  if (config.train.l2_from_start > 0 && config.model.init == "random")
    refuse_key(origins, "train.l2_from_start",
               ": there are no pretrained weights to stay near, model.init is random; train.l2 draws towards 0");
  check_steps(config, origins);
  seconds_of(config.train.max_time, place_of(origins, "train.max_time") + "train.max_time");
  if (config.train.max_steps == 0)
    refuse_key(origins, "train.max_steps", ": wanted a number of updates or -1, found 0");
  if (config.train.gradient_accumulation_steps > 0 && config.train.per_device_train_batch_size == 0)
    refuse_key(origins, "train.gradient_accumulation_steps",
               " needs train.per_device_train_batch_size; train.global_batch_size alone says what an update is");
  if (config.eval.eval_strategy == "no") {
    const char* needs = " needs evaluation: eval.eval_strategy epoch or steps, and validation data";
    if (config.eval.early_stopping_patience > 0) refuse_key(origins, "eval.early_stopping_patience", needs);
    if (config.eval.load_best_model_at_end) refuse_key(origins, "eval.load_best_model_at_end", needs);
    if (config.save.save_strategy == "best") refuse_key(origins, "save.save_strategy", concat(" = 'best'", needs));
  }
  if (!config.data.fold.empty()) {
    fold_from(config.data.fold);
    for (const auto& [key, given] : {std::pair{"data.validation_split", config.data.validation_split > 0},
                                     {"data.validation_file", !config.data.validation_file.empty()}})
      if (given) refuse_key(origins, key, " beside data.fold, which says what is validated; give one of them");
  }
  if (!has_validation_data(config)) {
    const char* needs = " needs validation data: data.validation_file, data.validation_split or data.fold";
    if (config.eval.scores.tune_thresholds != "no") refuse_key(origins, "eval.tune_thresholds", needs);
    if (config.eval.scores.temperature_scaling) refuse_key(origins, "eval.temperature_scaling", needs);
  }
  if (config.eval.load_best_model_at_end && config.save.save_strategy == "no")
    refuse_key(origins, "save.save_strategy", " = 'no' leaves no best checkpoint for eval.load_best_model_at_end");
  if (config.log.report_to.size() > 1 && std::ranges::find(config.log.report_to, "none") != config.log.report_to.end())
    refuse_key(origins, "log.report_to", ": 'none' stands alone");
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
    refuse_key(origins, "resume_from_checkpoint",
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

void refuse_key(const Origins& origins, const std::string& key, const std::string& what) {
  throw ConfigError(concat(place_of(origins, key), key, what));
}

void require_given(const RunConfig& config, const std::string& path) {
  const auto require = [&](bool given, const char* key, const char* example) {
    if (!given) throw ConfigError(concat(path, ": ", key, " is missing; it wants a value such as ", example));
  };
  require(!config.output_dir.empty(), "output_dir", "\"runs/first\"");
  require(!config.model.model_name_or_path.empty(), "model.model_name_or_path", "\"models/minilm\"");
  require(!config.data.train_file.empty(), "data.train_file", "\"data/train.jsonl\"");
}

void check_task(const std::string& task, const Origins& origins) {
  const StringList names = task_names();
  if (std::ranges::find(names, task) == names.end())
    refuse_key(
        origins, "model.task",
        concat(" = ", in_quotes(task), " is not built yet; built: ", join(names, ", "), did_you_mean(task, names)));
}

void check_together(const RunConfig& config, const Origins& origins, StringList& warnings) {
  check_settings(config, origins);
  check_balance(config, origins, warnings);
  check_rate(config, origins, warnings);
  check_files(config, origins, warnings);
}

}  // namespace sft
