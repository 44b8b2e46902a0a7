#include "trainer/model_files/model_directory.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/json_member.h"
#include "base/log.h"
#include "base/shallow_json.h"
#include "base/text.h"
#include "data/images/image.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/keras_file.h"
#include "trainer/model_files/preprocessor_config.h"
#include "trainer/models/image_size.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

constexpr char kProcessor[] = "preprocessor_config.json";

// Where huggingface_hub keeps what it fetched: HF_HUB_CACHE, HF_HOME/hub or ~/.cache/huggingface/hub.
fs::path hub_cache() {
  if (const char* cache = std::getenv("HF_HUB_CACHE")) return cache;
  if (const char* home = std::getenv("HF_HOME")) return fs::path(home) / "hub";
  const char* home = std::getenv("HOME");
  return fs::path(home ? home : ".") / ".cache/huggingface/hub";
}

// "org/name" → …/models--org--name/snapshots/<commit that refs/main names>, or "".
fs::path cached_snapshot(std::string id) {
  for (size_t at; (at = id.find('/')) != std::string::npos;) id.replace(at, 1, "--");
  const fs::path repository = hub_cache() / ("models--" + id);
  const fs::path reference = repository / "refs/main";
  std::string commit = fs::exists(reference) ? read_file(reference.string()) : "";
  commit = commit.substr(0, commit.find_first_of("\r\n"));
  const fs::path snapshot = repository / "snapshots" / commit;
  return !commit.empty() && fs::is_directory(snapshot) ? snapshot : fs::path();
}

// As the hub has them: "name" or "organisation/name".
bool may_be_hub_id(const std::string& name) {
  const auto is_of_id = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/'; };
  return std::ranges::all_of(name, is_of_id) && std::ranges::count(name, '/') <= 1 &&
         std::isalnum(static_cast<unsigned char>(name.front())) && !name.ends_with('/');
}

// A path that was mistyped, or of a run that was never started.
bool looks_local(const std::string& name) { return name.starts_with("runs/") || !may_be_hub_id(name); }

std::string find_directory(const std::string& name) {
  if (name.empty()) throw ConfigError("model.model_name_or_path is not set: a directory in Hugging Face layout");
  if (fs::is_directory(name) || (fs::is_regular_file(name) && is_keras_file(name))) return name;
  if (fs::exists(name))
    throw ConfigError(concat("model.model_name_or_path ", in_quotes(name),
                             " is a file; wanted: a directory in Hugging Face layout, which holds config.json beside "
                             "such a file and a tokenizer's, or a Keras file (.h5, .hdf5, .keras)"));
  const fs::path snapshot = cached_snapshot(name);
  if (!snapshot.empty()) return snapshot.string();
  if (looks_local(name))
    throw ConfigError(
        concat("model.model_name_or_path ", in_quotes(name), ": no such directory; no run and no model stands there"));
  throw ConfigError(concat(
      "model.model_name_or_path ", in_quotes(name), ": no such directory, and no such model in the local hub cache ",
      hub_cache().string(),
      may_be_hub_id(name) ? concat("; `hf download ", name, "` brings a model of that name there") : std::string(),
      " (nothing is downloaded here)"));
}

// With ImageNet's mean and deviation, which are the defaults.
constexpr char kResNet18[] =
    R"({"model_type": "resnet", "layer_type": "basic", "depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512]})";

bool holds_adapter(const std::string& directory) { return fs::exists(fs::path(directory) / kAdapterConfig); }

bool holds_tokenizer(const std::string& directory) {
  if (directory.empty()) return false;
  for (const char* name : {"tokenizer.json", "vocab.txt", "vocab.json"})
    if (fs::exists(fs::path(directory) / name)) return true;
  return false;
}

// Names are keys of scores and of label2id: of equal ones those behind the first get their number, "crane (2)".
void tell_apart(std::vector<std::string>& names, const std::string& path) {
  std::set<std::string> taken(names.begin(), names.end()), seen;
  if (taken.size() == names.size()) return;
  StringList renamed;
  for (std::string& name : names) {
    if (seen.insert(name).second) continue;
    std::string other;
    for (int number = 2; other.empty() || !taken.insert(other).second; ++number)
      other = concat(name, " (", number, ")");
    renamed.push_back(in_quotes(name = other, 40));
  }
  constexpr size_t kTold = 5;
  const size_t more = renamed.size() - std::min(renamed.size(), kTold);
  renamed.resize(renamed.size() - more);
  log::warn_once(concat(path, "/config.json: several labels have one name; those behind the first are called ",
                        join(renamed, ", "), more > 0 ? concat(" and ", more, " more") : "", " here"));
}

std::string base_of(const std::string& adapter) {
  const std::string base = read_adapter_settings(adapter).base;
  if (base.empty())
    throw ConfigError(concat(adapter, "/", kAdapterConfig, " names no base_model_name_or_path; set ",
                             "model.model_name_or_path to the base, and model.adapter to this directory"));
  return base;
}

}  // namespace

ModelDirectory::ModelDirectory(const std::string& name_or_path, const std::string& adapter)
    : adapter_(adapter), name_(name_or_path) {
  if (!adapter_.empty() && !holds_adapter(adapter_))
    throw ConfigError(concat("model.adapter ", in_quotes(adapter_, 400), " holds no ", kAdapterConfig,
                             "; wanted: a directory that PEFT or a run has left"));
  path_ = find_directory(name_);
  if (holds_adapter(path_)) {
    if (!adapter_.empty())
      throw ConfigError(concat("model.model_name_or_path ", in_quotes(path_, 400), " is an adapter itself, and ",
                               "model.adapter names another; one adapter stands on a model"));
    adapter_ = path_;
    name_ = base_of(adapter_);
    path_ = find_directory(name_);
  }
  if (fs::exists(name_)) name_ = fs::absolute(name_).lexically_normal().string();
  texts_path_ = holds_tokenizer(adapter_) ? adapter_ : path_;
  if (fs::is_regular_file(path_)) {
    config_ = KerasFile(path_).config();
    return;
  }
  const std::string text = text_of("config.json");
  if (text.empty())
    throw ConfigError(concat(path_, " holds no config.json; wanted: a model directory in Hugging Face layout, as ",
                             "`hf download ORGANISATION/MODEL --local-dir ", path_, "` brings it. Beside the .pth ",
                             "of torchvision's ResNet-18 it is ", kResNet18));
  config_ = parse_shallow_json(text, path_ + "/config.json");
  if (!config_.is_object()) throw DataError(path_ + "/config.json is not a JSON object");
  // transformers keeps what its image processors do beside the model; ours is part of the model.
  const bool is_grey = config_.value("num_channels", nlohmann::json()) == 1;
  const nlohmann::json scale =
      pixel_scale(json_of(kProcessor), concat(path_, "/", kProcessor), is_grey ? 1 : kChannels);
  for (const auto& [key, value] : scale.items())
    if (!config_.contains(key)) config_[key] = value;
}

std::vector<std::string> ModelDirectory::label_names() const {
  const auto found = config_.find("id2label");
  if (found == config_.end() || !found->is_object()) return {};
  std::vector<std::string> names(found->size());
  bool only_defaults = true;
  for (size_t id = 0; id < names.size(); ++id) {
    const auto name = found->find(std::to_string(id));
    if (name == found->end() || !name->is_string()) return {};
    names[id] = name->get<std::string>();
    only_defaults = only_defaults && names[id] == "LABEL_" + std::to_string(id);
  }
  tell_apart(names, path_);
  return only_defaults ? std::vector<std::string>{} : names;
}

std::optional<std::string> ModelDirectory::peft_task_type() const {
  if (adapter_.empty() || fs::exists(fs::path(adapter_) / "config.json")) return {};
  return read_adapter_settings(adapter_).task_type;
}

std::string ModelDirectory::architecture() const {
  const auto classes = member(config_, "architectures", nlohmann::json::array(), path_ + "/config.json");
  return !classes.empty() && classes[0].is_string() ? classes[0].get<std::string>() : "";
}

int64_t ModelDirectory::model_max_length() const {
  const nlohmann::json config = json_of("tokenizer_config.json");
  if (!config.is_object()) return 0;
  const auto found = config.find("model_max_length");
  // transformers writes 1e30 for "no limit".
  return found != config.end() && found->is_number() && found->get<double>() < 1e9 ? found->get<int64_t>() : 0;
}

std::string ModelDirectory::truncation_side() const {
  const nlohmann::json config = json_of("tokenizer_config.json");
  return config.is_object() && config.value("truncation_side", nlohmann::json()) == "left" ? "left" : "right";
}

std::string ModelDirectory::pooling() const {
  return member(config_, "sft_dist_pooling", std::string("auto"), path_ + "/config.json");
}

double ModelDirectory::threshold() const { return member(config_, "sft_dist_threshold", 0.5, path_ + "/config.json"); }

std::map<std::string, double> ModelDirectory::thresholds() const {
  std::map<std::string, double> thresholds;
  const auto found = config_.find("sft_dist_thresholds");
  if (found == config_.end()) return thresholds;
  for (const auto& [label, value] : found->items()) {
    if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= 1))
      throw DataError(concat(path_, "/config.json: sft_dist_thresholds of ", in_quotes(label),
                             ": wanted a number from 0 to 1, found ", value.dump()));
    thresholds[label] = value.get<double>();
  }
  return thresholds;
}

void ModelDirectory::read_image_settings(DataConfig& into) const {
  sft::read_image_settings(json_of(kProcessor), into);
  settle_image_settings(into);
}

void ModelDirectory::settle_image_settings(DataConfig& into) const {
  const bool takes_one_size = config_.value("model_type", nlohmann::json()) == "keras";
  if (takes_one_size && into.image_size == 0) into.image_size = member(config_, "image_size", int64_t{0}, path_);
  if (into.image_size == 0 && into.crop == "random_resized")
    throw ConfigError("data.crop = \"random_resized\" needs data.image_size, to which windows of images are resized");
  settle_interpolation(json_of(kProcessor), concat(path_, "/", kProcessor), into);
  // What is left over beside an image in its square is what the model's mean makes 0.
  const nlohmann::json mean = config_.value("image_mean", nlohmann::json());
  const bool is_list = mean.is_array() && std::ranges::all_of(mean, &nlohmann::json::is_number);
  if (keeps_image_size(config_) && into.mean.empty() && is_list) into.mean = mean.get<NumberList>();
}

nlohmann::json ModelDirectory::json_of(const std::string& file) const {
  return parse_shallow_json(text_of(file), path_ + "/" + file);
}

std::string ModelDirectory::text_of(const std::string& file) const {
  for (const std::string& directory : {adapter_, path_}) {
    const fs::path path = fs::path(directory) / file;
    if (!directory.empty() && fs::exists(path)) return read_file(path.string());
  }
  return {};
}

}  // namespace sft
