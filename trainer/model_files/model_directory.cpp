#include "trainer/model_files/model_directory.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "trainer/model_files/preprocessor_config.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

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
  std::ifstream reference(repository / "refs/main");
  std::string commit;
  std::getline(reference, commit);
  const fs::path snapshot = repository / "snapshots" / commit;
  return !commit.empty() && fs::is_directory(snapshot) ? snapshot : fs::path();
}

std::string find_directory(const std::string& name) {
  if (name.empty()) throw ConfigError("model.model_name_or_path is not set: a directory in Hugging Face layout");
  if (fs::is_directory(name)) return name;
  if (fs::exists(name))
    throw ConfigError(
        concat("model.model_name_or_path ", in_quotes(name), " is a file; wanted: a directory in Hugging Face layout"));
  const fs::path snapshot = cached_snapshot(name);
  if (!snapshot.empty()) return snapshot.string();
  throw ConfigError(concat("model.model_name_or_path ", in_quotes(name),
                           ": no such directory, and no such model in the local hub cache ", hub_cache().string(),
                           " (nothing is downloaded)"));
}

}  // namespace

ModelDirectory::ModelDirectory(const std::string& name_or_path) : path_(find_directory(name_or_path)) {
  const std::string text = text_of("config.json");
  if (text.empty())
    throw ConfigError(concat(path_, " holds no config.json; wanted: a model directory in Hugging Face layout"));
  config_ = nlohmann::json::parse(text, nullptr, false);
  if (!config_.is_object()) throw DataError(path_ + "/config.json is not a JSON object");
  // transformers keeps what its image processors do beside the model; ours is part of the model.
  const auto processor = nlohmann::json::parse(text_of("preprocessor_config.json"), nullptr, false);
  for (const char* key : {"image_mean", "image_std"})
    if (processor.is_object() && processor.contains(key) && !config_.contains(key)) config_[key] = processor[key];
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
  return only_defaults ? std::vector<std::string>{} : names;
}

std::string ModelDirectory::architecture() const {
  const auto classes = config_.value("architectures", nlohmann::json::array());
  return !classes.empty() && classes[0].is_string() ? classes[0].get<std::string>() : "";
}

int64_t ModelDirectory::model_max_length() const {
  const auto config = nlohmann::json::parse(text_of("tokenizer_config.json"), nullptr, false);
  if (!config.is_object()) return 0;
  const auto found = config.find("model_max_length");
  // transformers writes 1e30 for "no limit".
  return found != config.end() && found->is_number() && found->get<double>() < 1e9 ? found->get<int64_t>() : 0;
}

std::string ModelDirectory::truncation_side() const {
  const auto config = nlohmann::json::parse(text_of("tokenizer_config.json"), nullptr, false);
  return config.is_object() && config.value("truncation_side", nlohmann::json()) == "left" ? "left" : "right";
}

std::string ModelDirectory::pooling() const { return config_.value("sft_dist_pooling", "auto"); }

double ModelDirectory::threshold() const { return config_.value("sft_dist_threshold", 0.5); }

void ModelDirectory::read_image_settings(DataConfig& into) const {
  sft::read_image_settings(nlohmann::json::parse(text_of("preprocessor_config.json"), nullptr, false), into);
}

std::string ModelDirectory::text_of(const std::string& file) const {
  const fs::path path = fs::path(path_) / file;
  return fs::exists(path) ? read_file(path.string()) : std::string();
}

}  // namespace sft
