#include "trainer/model_files/adapter_files.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/json_member.h"
#include "base/shallow_json.h"
#include "base/text.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/model_files/pretrained.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// What changes the adapter or the base when it is set. Keys that only say how PEFT started or stored it are not here.
const char* const kNotBuilt[] = {"use_dora",          "rank_pattern",      "alpha_pattern",
                                 "lora_bias",         "layer_replication", "trainable_token_indices",
                                 "target_parameters", "use_qalora",        "use_bdlora",
                                 "kasa_config",       "velora_config",     "monteclora_config",
                                 "arrow_config",      "loftq_config",      "alora_invocation_tokens"};

bool is_set(const nlohmann::json& value) {
  return !(value.is_null() || value == false || ((value.is_object() || value.is_array()) && value.empty()));
}

void refuse_what_is_not_built(const nlohmann::json& config, const std::string& path) {
  const auto refuse = [&](const std::string& key) {
    throw ConfigError(concat(path, ": ", key, " = ", config[key].dump(), " is not built"));
  };
  if (config.value("peft_type", nlohmann::json()) != "LORA")
    throw ConfigError(concat(path, ": peft_type ", config.value("peft_type", nlohmann::json()).dump(),
                             " is not built; built: \"LORA\""));
  for (const char* key : kNotBuilt)
    if (config.contains(key) && is_set(config[key])) refuse(key);
  if (config.value("bias", nlohmann::json("none")) != "none") refuse("bias");
  const nlohmann::json start = config.value("init_lora_weights", nlohmann::json(true));
  for (const char* changes_base : {"pissa", "olora", "corda", "loftq", "lora_ga"})
    if (start.is_string() && start.get<std::string>().starts_with(changes_base)) refuse("init_lora_weights");
}

std::string without_prefix(const std::string& name) {
  return name.starts_with(kPeftPrefix) ? name.substr(sizeof kPeftPrefix - 1) : name;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::vector<std::string> sizes;
  for (const int64_t size : shape) sizes.push_back(std::to_string(size));
  return "[" + join(sizes, ", ") + "]";
}

}  // namespace

AdapterSettings read_adapter_settings(const std::string& directory) {
  const std::string path = (fs::path(directory) / kAdapterConfig).string();
  const nlohmann::json config = parse_shallow_json(read_file(path), path);
  if (!config.is_object()) throw DataError(path + " is not a JSON object");
  refuse_what_is_not_built(config, path);
  AdapterSettings settings;
  try {
    settings.base = config.at("base_model_name_or_path").is_string() ? config["base_model_name_or_path"] : "";
    settings.task_type = config.value("task_type", nlohmann::json()).is_string() ? config["task_type"] : "";
    if (!config.at("r").is_number_integer())
      throw DataError(concat(path, ": r is ", config["r"].dump(), "; a rank is a whole number"));
    settings.r = config["r"];
    settings.lora_alpha = config.at("lora_alpha");
    settings.lora_dropout = config.value("lora_dropout", 0.0);
    settings.use_rslora = config.value("use_rslora", false);
    const nlohmann::json saved = config.value("modules_to_save", nlohmann::json());
    if (!saved.is_null()) settings.modules_to_save = saved.get<StringList>();
  } catch (const nlohmann::json::exception& error) {
    throw DataError(concat(path, ": ", error.what()));
  }
  if (settings.r < 1) throw DataError(concat(path, ": r is ", settings.r, "; a rank is at least 1"));
  return settings;
}

AdapterFiles::AdapterFiles(const std::string& directory)
    : directory_(directory), settings_(read_adapter_settings(directory)) {
  for (const char* name : {kAdapterWeights, "adapter_model.bin"})
    if (const fs::path weights = fs::path(directory) / name; file_ == nullptr && fs::exists(weights))
      file_ = open_tensor_file(weights.string());
  if (file_ == nullptr) files_ = std::make_unique<WeightFiles>(directory);
}

std::vector<std::string> AdapterFiles::names() const {
  std::vector<std::string> names;
  if (file_)
    for (const TensorRef& tensor : file_->tensors()) names.push_back(without_prefix(tensor.name));
  else
    names = files_->names();
  return names;
}

const TensorRef* AdapterFiles::find(const std::string& name) const {
  if (files_) return files_->find(name);
  const TensorRef* found = file_->find(kPeftPrefix + name);
  return found != nullptr ? found : file_->find(name);
}

std::string AdapterFiles::base_weights() const {
  if (file_) {
    const auto found = file_->metadata().find(kBaseWeights);
    return found == file_->metadata().end() ? "" : found->second;
  }
  const std::string manifest = directory_ + "/" + kManifestName;
  if (!fs::exists(manifest)) return "";
  const nlohmann::json settings = parse_manifest(read_file(manifest), manifest).settings;
  if (!settings.is_object()) return "";
  const auto files = member(settings, "model_files", nlohmann::json::object(), manifest);
  return member(files, "weights", std::string(), manifest);
}

void AdapterFiles::load(const Parameters& parameters) const {
  for (const Parameter& parameter : parameters) {
    const TensorRef* ref = find(parameter.name);
    if (ref == nullptr) throw DataError(concat(directory_, " lacks the tensor ", in_quotes(parameter.name, 400)));
    if (parameter.value.sizes() != at::IntArrayRef(ref->shape))
      throw DataError(concat(directory_, " is an adapter of another base: ", parameter.name, " is ",
                             shape_text(ref->shape), " there, and ", shape_text(parameter.value.sizes().vec()),
                             " on this model"));
    copy_weight(*ref, parameter.value, files_ ? files_->path_of(parameter.name) : file_->path());
  }
}

}  // namespace sft
