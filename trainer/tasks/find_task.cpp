// What is asked of the list of tasks.
#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/plugin_task.h"
#include "trainer/tasks/recipes/target_column.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

void append_keys(ExtraSettings declared, const std::string& section, StringList& keys) {
  for (const BoundField& field : declared.bind(section)) keys.push_back(field.key());
}

void require_loss(const std::string& kind, StringList there, const StringList& of_plugins) {
  there.insert(there.end(), of_plugins.begin(), of_plugins.end());
  if (std::ranges::find(there, kind) == there.end())
    throw ConfigError(concat("train.loss: wanted one of ", join(there, ", "), ", found ", in_quotes(kind),
                             did_you_mean(kind, there)));
}

}  // namespace

StringList keys_of(const TaskKind& kind) {
  StringList keys = kind.keys;
  append_keys(kind.data, "data", keys);
  append_keys(kind.eval, "eval", keys);
  return keys;
}

StringList keys_of_some_tasks() {
  std::set<std::string> keys;
  for (const TaskKind& kind : tasks())
    for (const std::string& key : keys_of(kind)) keys.insert(key);
  return {keys.begin(), keys.end()};
}

StringList task_names() {
  StringList names;
  for (const TaskKind& kind : tasks())
    if (names.empty() || names.back() != kind.name) names.emplace_back(kind.name);
  return names;
}

const TaskKind& task_named(const std::string& name) {
  for (const TaskKind& kind : tasks())
    if (name == kind.name) return kind;
  throw ConfigError(concat("model.task ", in_quotes(name), " is not built", did_you_mean(name, task_names()),
                           "; built: ", join(task_names(), ", ")));
}

const TaskKind& task_of_type(const std::string& name, const std::string& problem_type) {
  const TaskKind& first = task_named(name);
  if (problem_type.empty() || *first.problem_type == '\0') return first;
  for (const TaskKind& kind : tasks())
    if (name == kind.name && problem_type == kind.problem_type) return kind;
  throw ConfigError(
      concat("model.task ", in_quotes(name), " does not learn targets of the problem type ", in_quotes(problem_type)));
}

const TaskKind& task_of_samples(const std::string& name, const Schema& samples) {
  for (const TaskKind& kind : tasks())
    if (name == kind.name && has_target(samples, kind.target)) return kind;
  throw ConfigError(
      concat("model.task ", in_quotes(name), " does not learn the targets of samples that have ", describe(samples)));
}

const TaskKind& task_of_class(const std::string& name, Takes takes) {
  // Of older families, and of Marian's.
  const std::string architecture = name.ends_with("LMHeadModel") ? "ForCausalLM"
                                   : name.ends_with("MTModel")   ? "ForConditionalGeneration"
                                                                 : name;
  const auto named = std::ranges::find_if(
      tasks(), [&](const TaskKind& kind) { return kind.takes == takes && architecture.ends_with(kind.class_ending); });
  return named != tasks().end() ? *named : *std::ranges::find(tasks(), takes, &TaskKind::takes);
}

const TaskKind& task_of_adapter(const std::string& peft_task_type, Takes takes) {
  const auto named = std::ranges::find_if(
      tasks(), [&](const TaskKind& kind) { return kind.takes == takes && peft_task_type == kind.peft.task_type; });
  return named != tasks().end() ? *named : *std::ranges::find(tasks(), takes, &TaskKind::takes);
}

StringList usual_heads() {
  std::set<std::string> heads;
  for (const TaskKind& kind : tasks()) heads.insert(kind.peft.heads.begin(), kind.peft.heads.end());
  return {heads.begin(), heads.end()};
}

std::unique_ptr<Task> make_task(const std::string& name, const TaskSettings& settings, const Model& model) {
  const TaskKind& kind = task_of_type(name, settings.labels.problem_type);
  if (!settings.plugins) return kind.make(settings, model);
  TaskSettings of_task = settings;
  for (const std::string& built : built_losses())
    if (const PluginLoss* const taken = settings.plugins->loss(built); taken != nullptr)
      fail_of_plugin(taken->file, taken->name, "train.loss has a word of that name already; give it another");
  const PluginLoss* const loss = settings.plugins->loss(settings.loss.kind);
  if (loss != nullptr) {
    of_task.loss.kind = "auto";
    require_accepted(of_task.loss, {.targets = "a loss of plugins is", .kinds = {}});
  } else {
    require_loss(settings.loss.kind, built_losses(), settings.plugins->loss_names());
  }
  return with_plugins(kind.make(of_task, model), kind.target, std::ssize(settings.labels.names), settings.plugins,
                      loss);
}

}  // namespace sft
