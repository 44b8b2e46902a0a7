#include "trainer/model_directory.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <set>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"

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
        concat("model.model_name_or_path ", quoted(name), " is a file; wanted: a directory in Hugging Face layout"));
  const fs::path snapshot = cached_snapshot(name);
  if (!snapshot.empty()) return snapshot.string();
  throw ConfigError(concat("model.model_name_or_path ", quoted(name),
                           ": no such directory, and no such model in the local hub cache ", hub_cache().string(),
                           " (nothing is downloaded)"));
}

// For a directory that has none: tokenizer.json as it is, with the special tokens that it declares, BERT's or
// RoBERTa's. Token types are asked of it where the model has more than one.
nlohmann::json usual_tokenizer_config(const Tokenizer& tokenizer, const Model& model) {
  nlohmann::json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"model_input_names", {"input_ids"}}};
  if (const auto limits = model.text_limits(); limits && limits->num_segments > 1)
    config["model_input_names"].push_back("token_type_ids");
  config["model_input_names"].push_back("attention_mask");

  std::set<std::string> declared;
  const auto content = nlohmann::json::parse(tokenizer.to_json());
  for (const auto& token : content["added_tokens"]) declared.insert(token["content"].get<std::string>());
  const auto declare = [&](std::initializer_list<std::pair<const char*, const char*>> tokens) {
    for (const auto& [role, token] : tokens)
      if (declared.contains(token)) config[role] = token;
  };
  if (declared.contains("[CLS]")) {
    declare({{"unk_token", "[UNK]"},
             {"sep_token", "[SEP]"},
             {"pad_token", "[PAD]"},
             {"cls_token", "[CLS]"},
             {"mask_token", "[MASK]"}});
  } else {
    declare({{"bos_token", "<s>"},
             {"eos_token", "</s>"},
             {"unk_token", "<unk>"},
             {"sep_token", "</s>"},
             {"pad_token", "<pad>"},
             {"cls_token", "<s>"},
             {"mask_token", "<mask>"}});
  }
  return config;
}

constexpr char kImageSize[] = "sft_dist_image_size", kImageCrop[] = "sft_dist_crop";

// What transformers' image processors do to an image before the model sees it; and, under our own keys, what prepare
// does, which they can only say in part.
nlohmann::json preprocessor_config(const nlohmann::json& model, const DataConfig& data) {
  const bool covers = data.crop != "none";
  const int64_t size = data.image_size;
  nlohmann::json out = {{"image_processor_type", covers ? "CLIPImageProcessor" : "ViTImageProcessor"},
                        {"do_resize", size > 0},
                        {"do_rescale", true},
                        {"rescale_factor", 1.0 / 255},
                        {"do_normalize", true},
                        {"image_mean", model.at("image_mean")},
                        {"image_std", model.at("image_std")},
                        {"resample", 2},
                        {kImageSize, size},
                        {kImageCrop, covers ? "center" : "none"}};
  if (size > 0 && !covers) out["size"] = {{"height", size}, {"width", size}};
  if (size > 0 && covers) {
    out["size"] = {{"shortest_edge", size}};
    out["crop_size"] = {{"height", size}, {"width", size}};
  }
  out["do_center_crop"] = size > 0 && covers;
  return out;
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

std::string ModelDirectory::task() const {
  if (config_.value("model_type", "") == "resnet") return "image_classification";
  const auto classes = config_.value("architectures", nlohmann::json::array());
  const bool tags =
      !classes.empty() && classes[0].is_string() && classes[0].get<std::string>().ends_with("ForTokenClassification");
  return tags ? "token_classification" : "text_classification";
}

int64_t ModelDirectory::model_max_length() const {
  const auto config = nlohmann::json::parse(text_of("tokenizer_config.json"), nullptr, false);
  if (!config.is_object()) return 0;
  const auto found = config.find("model_max_length");
  // transformers writes 1e30 for "no limit".
  return found != config.end() && found->is_number() && found->get<double>() < 1e9 ? found->get<int64_t>() : 0;
}

std::string ModelDirectory::pooling() const { return config_.value("sft_dist_pooling", "auto"); }

double ModelDirectory::threshold() const { return config_.value("sft_dist_threshold", 0.5); }

void ModelDirectory::read_image_settings(DataConfig& into) const {
  const auto found = nlohmann::json::parse(text_of("preprocessor_config.json"), nullptr, false);
  if (!found.is_object() || !found.contains(kImageSize)) return;
  into.image_size = found.value(kImageSize, int64_t{0});
  into.crop = found.value(kImageCrop, "none");
}

NamedFiles ModelDirectory::files_for(const Model& model, const Task& task, const std::string& task_name,
                                     const Tokenizer* tokenizer, const DataConfig& data) const {
  nlohmann::json config = model.config();
  config["architectures"] = {model.architecture(task_name)};
  task.describe(config);
  if (tokenizer == nullptr)
    return {{"config.json", config.dump(2) + "\n"},
            {"preprocessor_config.json", preprocessor_config(config, data).dump(2) + "\n"}};
  nlohmann::json tokenizer_config = nlohmann::json::parse(text_of("tokenizer_config.json"), nullptr, false);
  if (!tokenizer_config.is_object()) tokenizer_config = usual_tokenizer_config(*tokenizer, model);
  tokenizer_config["model_max_length"] = data.max_length;
  NamedFiles files{{"config.json", config.dump(2) + "\n"},
                   {"tokenizer.json", tokenizer->to_json()},
                   {"tokenizer_config.json", tokenizer_config.dump(2) + "\n"}};
  for (const char* name : {"special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
                           "sentencepiece.bpe.model"})
    if (std::string text = text_of(name); !text.empty()) files.emplace_back(name, std::move(text));
  return files;
}

std::string ModelDirectory::text_of(const std::string& file) const {
  const fs::path path = fs::path(path_) / file;
  return fs::exists(path) ? read_file(path.string()) : std::string();
}

}  // namespace sft
