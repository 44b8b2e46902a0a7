#include "trainer/assembly/adapter_export.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "trainer/adapters/target_modules.h"
#include "trainer/assembly/build_adapters.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

// Of all parameters, "….weight": what PEFT's rule can find.
std::set<std::string> modules_of(const Learner& learner) {
  std::set<std::string> modules;
  for (const Parameter& parameter : all_parameters(learner.model(), learner.task()))
    if (parameter.name.ends_with(".weight")) modules.insert(parameter.name.substr(0, parameter.name.size() - 7));
  return modules;
}

// What PEFT's rule finds by the words among the modules, in the modules' order.
StringList found_by(const StringList& words, const std::set<std::string>& modules) {
  StringList found;
  for (const std::string& module : modules)
    if (std::ranges::any_of(words, [&](const std::string& word) { return is_target(module, word); }))
      found.push_back(module);
  return found;
}

// The config's words, or the last words of the layers' names, where PEFT's rule finds by them exactly the layers that
// have adapters; else all their names.
StringList target_modules(const Learner& learner) {
  const LowRankAdapters& adapters = learner.adapters();
  std::set<std::string> all, ends;
  for (const AdaptedLayer& adapted : adapters.layers) {
    const std::string& name = adapted.layer.name;
    all.insert(name);
    ends.insert(name.substr(name.rfind('.') + 1));
  }
  const StringList names(all.begin(), all.end());
  const std::set<std::string> modules = modules_of(learner);
  for (const StringList& words : {adapters.config.target_modules, StringList(ends.begin(), ends.end())})
    if (found_by(words, modules) == names) return words;
  return names;
}

nlohmann::ordered_json number(double value) {
  const auto whole = static_cast<int64_t>(value);
  return static_cast<double>(whole) == value ? nlohmann::ordered_json(whole) : nlohmann::ordered_json(value);
}

}  // namespace

NamedFiles adapter_files(const Learner& learner, const RunConfig& config, const ModelDirectory& base) {
  const LoraConfig& lora = learner.adapters().config;
  const auto& layers = learner.adapters().layers;
  const StringList heads = head_modules(learner.task());
  const std::string task_type = task_named(config.model.task).peft.task_type;
  const nlohmann::ordered_json content{
      {"peft_type", "LORA"},
      {"task_type", task_type.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(task_type)},
      {"base_model_name_or_path", base.name()},
      {"r", lora.r},
      {"lora_alpha", number(lora.lora_alpha)},
      {"lora_dropout", lora.lora_dropout},
      {"target_modules", target_modules(learner)},
      {"modules_to_save", heads.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(heads)},
      {"use_rslora", lora.use_rslora},
      {"bias", "none"},
      {"fan_in_fan_out", !layers.empty() && layers.front().layer.fan_in_fan_out},
      {"init_lora_weights", true},
      {"inference_mode", true}};
  return {{kAdapterConfig, content.dump(2) + "\n"}};
}

ExportedTensors peft_tensors(const Learner& learner) {
  ExportedTensors tensors = exported(learner.saved());
  for (ExportedTensor& tensor : tensors) tensor.name = kPeftPrefix + tensor.name;
  return tensors;
}

}  // namespace sft
