#include "trainer/assembly/build_adapters.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/field_value.h"
#include "base/random.h"
#include "base/text.h"
#include "trainer/adapters/target_modules.h"
#include "trainer/assembly/build_model.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

constexpr char kA[] = ".lora_A.weight", kB[] = ".lora_B.weight";

// A pooler that the task does not look at would give an adapter no gradient.
std::vector<NamedLinear> layers_in_use(Model& model, const Task& task) {
  std::vector<NamedLinear> layers = model.linears();
  if (!task.reads_pooler())
    std::erase_if(layers, [&](const NamedLinear& layer) { return layer.stage == model.pooler_stage(); });
  return layers;
}

// As strictly as of a config: DataError naming file and key.
void check(LoraConfig lora, const AdapterFiles& adapter) {
  try {
    for (const BoundField& field : bind_fields(lora))
      assign(field, value_of(field), {adapter.directory() + "/" + kAdapterConfig, std::string(field.info.name), ""});
  } catch (const ConfigError& error) {
    throw DataError(error.what());
  }
}

// Before memory is asked for.
void check_rank(const AdapterFiles& adapter, const std::vector<NamedLinear>& layers) {
  for (const NamedLinear& layer : layers)
    if (const TensorRef* a = adapter.find(layer.name + kA);
        a != nullptr && (a->shape.size() != 2 || a->shape[0] != adapter.settings().r))
      throw DataError(concat(adapter.directory(), "/", kAdapterConfig, ": r is ", adapter.settings().r, ", and ",
                             layer.name, kA, " has ", a->shape.empty() ? 0 : a->shape[0], " rows"));
}

// What the files say; what the config says of the same must not differ.
LoraConfig settled(const RunConfig& config, const AdapterFiles& adapter) {
  const AdapterSettings& file = adapter.settings();
  LoraConfig lora = config.lora;
  const auto require = [&](bool same, const char* key, const auto& ours, const auto& theirs) {
    if (!same)
      throw ConfigError(concat("lora.", key, " is ", ours, ", and the adapter in ", adapter.directory(), " has ",
                               theirs, "; leave [lora] out to go on as it was"));
  };
  if (lora.is_on()) {
    require(lora.r == file.r, "r", lora.r, file.r);
    require(lora.lora_alpha == file.lora_alpha, "lora_alpha", lora.lora_alpha, file.lora_alpha);
    require(lora.use_rslora == file.use_rslora, "use_rslora", lora.use_rslora ? "true" : "false",
            file.use_rslora ? "true" : "false");
    return lora;
  }
  lora.r = file.r;
  lora.lora_alpha = file.lora_alpha;
  lora.lora_dropout = file.lora_dropout;
  lora.use_rslora = file.use_rslora;
  check(lora, adapter);
  return lora;
}

std::vector<NamedLinear> layers_of(const AdapterFiles& adapter, const std::vector<NamedLinear>& layers) {
  std::vector<NamedLinear> found;
  for (const NamedLinear& layer : layers)
    if (adapter.find(layer.name + kA) != nullptr || adapter.find(layer.name + kB) != nullptr) found.push_back(layer);
  return found;
}

// Where [lora] names targets they are those of the files.
void check_targets(const LoraConfig& lora, const AdapterFiles& adapter, const std::vector<NamedLinear>& layers,
                   const std::vector<NamedLinear>& of_files) {
  if (!lora.is_on() || lora.target_modules.empty()) return;
  for (const NamedLinear& layer : find_targets(lora.target_modules, layers))
    if (std::ranges::none_of(of_files, [&](const NamedLinear& one) { return one.name == layer.name; }))
      throw ConfigError(concat("lora.target_modules names ", layer.name, ", and the adapter in ", adapter.directory(),
                               " has none on it; leave [lora] out to go on as it was"));
}

// Each tensor of the files has its place.
void refuse_what_is_left(const AdapterFiles& adapter, const Parameters& places, const Task& task) {
  const StringList heads = head_modules(task), usual = usual_heads();
  const auto is_in = [](const StringList& all, const std::string& one) {
    return std::ranges::find(all, one) != all.end();
  };
  for (const std::string& module : adapter.settings().modules_to_save)
    if (!is_in(usual, module) && !is_in(heads, module))
      throw ConfigError(concat(adapter.directory(), "/", kAdapterConfig, ": modules_to_save holds ", in_quotes(module),
                               ", which is not built; built: the head (", join(heads, ", "), ")"));
  for (const std::string& name : adapter.names()) {
    if (std::ranges::any_of(places, [&](const Parameter& one) { return one.name == name; })) continue;
    const char* why = name.find("lora_embedding_") != std::string::npos || name.find("embed") != std::string::npos
                          ? ": adapters on embeddings are not built"
                      : name.ends_with(kA) || name.ends_with(kB)
                          ? ": this model has no such layer in use, so the adapter is of another base or task"
                          : ": neither an adapter's nor the head's";
    throw DataError(concat(adapter.directory(), ": tensor ", in_quotes(name, 400), why));
  }
}

// A head that the adapter brings, or trains here, may be new; what stays frozen may not.
void refuse_drawn_weights(const Model& model, const Task& task, const std::optional<AdapterFiles>& adapter,
                          const LoadReport& base) {
  for (const Parameter& parameter : base.untouched) {
    const bool in_head = parameter.stage == model.head_stage() && !task.head_is_pretrained();
    if (in_head ? !adapter : parameter.stage == model.pooler_stage() && !task.reads_pooler()) continue;
    if (in_head) throw DataError(concat("neither the base nor ", adapter->directory(), " holds ", parameter.name));
    throw ConfigError(concat("the weight files of the base lack ", parameter.name,
                             ", and beside adapters it would stay frozen as it was drawn",
                             parameter.stage == model.pooler_stage()
                                 ? "; model.pooling = \"cls\" or \"mean\" does without the pooler"
                                 : ""));
  }
}

}  // namespace

StringList head_modules(const Task& task) {
  StringList modules;
  if (task.head_is_pretrained()) return modules;
  for (const Parameter& parameter : task.parameters())
    if (const std::string module = parameter.name.substr(0, parameter.name.find('.'));
        std::ranges::find(modules, module) == modules.end())
      modules.push_back(module);
  return modules;
}

LowRankAdapters build_adapters(const RunConfig& config, const std::optional<AdapterFiles>& adapter, Model& model,
                               const Task& task, const LoadReport& base) {
  if (!config.lora.is_on() && !adapter.has_value()) return {};
  refuse_drawn_weights(model, task, adapter, base);
  const auto seed = static_cast<uint64_t>(config.seed);
  const auto put = [&](const std::vector<NamedLinear>& layers, const LoraConfig& lora) {
    return put_adapters(layers, lora, parameter_type(config), derive_key(seed, "lora"), derive_key(seed, "dropout"));
  };
  const std::vector<NamedLinear> layers = layers_in_use(model, task);
  if (!adapter) {
    LoraConfig lora = config.lora;
    if (lora.target_modules.empty())
      lora.target_modules = usual_target_modules(model.config().at("model_type").get<std::string>());
    return put(find_targets(lora.target_modules, layers), lora);
  }
  const std::vector<NamedLinear> of_files = layers_of(*adapter, layers);
  check_targets(config.lora, *adapter, layers, of_files);
  check_rank(*adapter, of_files);
  LowRankAdapters adapters = put(of_files, settled(config, *adapter));
  Parameters places = adapters.parameters();
  for (const Parameter& parameter : task.parameters())
    if (adapter->find(parameter.name) != nullptr) places.push_back(parameter);
  refuse_what_is_left(*adapter, places, task);
  adapter->load(places);
  return adapters;
}

}  // namespace sft
