#include "launch/loaded_model.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/json_member.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/assembly/build_model.h"
#include "trainer/assembly/generate_settings.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/verify.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/keras_weights.h"
#include "trainer/tasks/recipes/target.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

constexpr size_t kMostLabels = size_t{1} << 24;

// Of the head that an adapter brings whose directory has no config.json, as PEFT leaves it; else 0.
size_t outputs_of_adapter(const ModelDirectory& directory) {
  const std::string& path = directory.adapter();
  if (path.empty() || std::filesystem::exists(std::filesystem::path(path) / "config.json")) return 0;
  const AdapterFiles files(path);
  for (const char* output : {"classifier.out_proj.weight", "classifier.weight", "score.weight", "logits_proj.weight"})
    if (const TensorRef* ref = files.find(output); ref != nullptr && !ref->shape.empty())
      return static_cast<size_t>(ref->shape.front());
  return 0;
}

// Of a head whose class config.json names without a word of labels: transformers leaves id2label out of two, which are
// its default. Else 0.
size_t outputs_in_files(const ModelDirectory& directory) {
  if (!directory.architecture().ends_with("Classification")) return 0;
  const auto files = open_weights(directory.path(), directory.config());
  for (const char* output : {"classifier.weight", "classifier.out_proj.weight", "classifier.1.weight", "score.weight",
                             "logits_proj.weight"})
    if (const TensorRef* ref = files->find(output); ref != nullptr && !ref->shape.empty())
      return static_cast<size_t>(ref->shape.front());
  return 0;
}

// Names by id, the default ones included; a model without a head has none.
std::vector<std::string> all_label_names(const ModelDirectory& directory) {
  if (auto names = directory.label_names(); !names.empty()) return names;
  const auto& config = directory.config();
  size_t count = config.contains("id2label")
                     ? config["id2label"].size()
                     : static_cast<size_t>(std::max<int64_t>(
                           member(config, "num_labels", int64_t{0}, directory.path() + "/config.json"), 0));
  if (const size_t of_adapter = outputs_of_adapter(directory); of_adapter > 0) count = of_adapter;
  if (count == 0) count = outputs_in_files(directory);
  if (count > kMostLabels)
    throw DataError(concat(directory.path(), "/config.json: ", count, " labels; at most ", kMostLabels, " are read"));
  if (count == 0)
    throw DataError(concat(directory.path(), "/config.json has no id2label: is this a fine-tuned model?"));
  std::vector<std::string> names;
  for (size_t id = 0; id < count; ++id) names.push_back(concat("LABEL_", id));
  return names;
}

// As in transformers, one output without a problem type is a regression.
std::string problem_type_of(const nlohmann::json& config, size_t num_labels) {
  const auto found = config.find("problem_type");
  const std::string said = found != config.end() && found->is_string() ? found->get<std::string>() : "";
  const auto is_said = [&](const TaskKind& kind) { return said == kind.problem_type; };
  if (!said.empty() && std::ranges::any_of(tasks(), is_said)) return said;
  return num_labels == 1 ? kRealNumbers : kOneLabel;
}

// Scores of a checkpoint are those of the run's evaluations, and other than its exported model's.
void say_what_is_left_out(const std::string& path, const LossConfig& loss, const ScoreConfig& scores) {
  if (!std::filesystem::exists(std::filesystem::path(path) / kManifestName)) return;
  StringList left_out;
  if (loss.logit_adjustment > 0 && loss.logit_adjustment_at == "export")
    left_out.emplace_back("the label priors of train.logit_adjustment_at = \"export\"");
  if (scores.temperature_scaling) left_out.emplace_back("the temperature of eval.temperature_scaling");
  if (scores.tune_thresholds != "no") left_out.emplace_back("the thresholds of eval.tune_thresholds");
  if (!left_out.empty())
    log::info(concat(path, ": without ", join(left_out, " and "), ", which the run's model/ alone has"));
}

}  // namespace

RunConfig without_plugins(RunConfig config) {
  config.plugins.clear();
  const StringList built = built_losses();
  if (std::ranges::find(built, config.train.loss.kind) == built.end()) config.train.loss.kind = "auto";
  return config;
}

LoadedModel load_model(const std::string& path, RunConfig config, const World& world) {
  LoadedModel loaded;
  say_what_is_left_out(path, config.train.loss, config.eval.scores);
  config.model.model_name_or_path = path;
  config.model.init = "pretrained";
  config.model.adapter = "";
  config.lora = {};  // the directory says what stands on the model
  config.train.loss.class_weights = {};
  config.train.loss.pos_weight = {};
  config.train.loss.logit_adjustment = config.train.loss.distill_weight = 0;
  verify_weights(path, world.control);
  together(world.control, [&] {
    loaded.directory = std::make_unique<ModelDirectory>(path);
    const TaskKind& task = task_named(config.model.task);
    if (has_names(task.target)) loaded.labels.names = all_label_names(*loaded.directory);
    if (*task.problem_type != '\0')
      loaded.labels.problem_type = problem_type_of(loaded.directory->config(), loaded.labels.names.size());
    config.eval.scores.threshold = loaded.directory->threshold();
    config.eval.scores.thresholds = loaded.directory->thresholds();
    if (config.generate.eos_token_id.empty()) config.generate = settled(config.generate, {}, *loaded.directory);
    loaded.generate = config.generate;
    if (task.takes == Takes::pictures) return;
    loaded.tokenizer = Tokenizer::from_directory(loaded.directory->texts_path(), loaded.directory->path());
    const int64_t trained_length = loaded.directory->model_max_length();
    loaded.tokenizer->set_truncation(trained_length > 0 ? trained_length : config.data.max_length,
                                     config.data.truncation);
    if (config.model.pooling == "auto") config.model.pooling = loaded.directory->pooling();
  });
  Built built = build_model(config, Purpose::prediction, *loaded.directory, loaded.labels, loaded.tokenizer.get(),
                            world.device, {.mode = BatchNormMode::frozen}, world.control);
  loaded.report = std::move(built.report);
  const std::vector<bool> frozen(all_parameters(*built.model, *built.task, built.adapters).size(), false);
  loaded.learner = std::make_unique<Learner>(std::move(built.model), std::move(built.task), frozen,
                                             LearnerSettings{.device = world.device}, std::move(built.adapters),
                                             std::move(built.from_files));
  return loaded;
}

}  // namespace sft
