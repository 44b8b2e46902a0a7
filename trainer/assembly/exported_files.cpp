#include "trainer/assembly/exported_files.h"

#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>

#include "base/json_member.h"
#include "data/text/chat_template.h"
#include "data/text/model_texts.h"
#include "trainer/assembly/generate_settings.h"
#include "trainer/model_files/keras_export.h"
#include "trainer/model_files/preprocessor_config.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

// What a tokenizer is asked for: token types where the model has more than one.
nlohmann::json input_names(const Model& model) {
  nlohmann::json names = {"input_ids"};
  if (const auto limits = model.text_limits(); limits && limits->num_segments > 1) names.push_back("token_type_ids");
  names.push_back("attention_mask");
  return names;
}

// For a directory that has none: tokenizer.json as it is, with the special tokens that it declares, BERT's or
// RoBERTa's, or the class that reads the files where there is no such JSON.
nlohmann::json usual_tokenizer_config(const Tokenizer& tokenizer, const Model& model) {
  if (!tokenizer.is_json()) return {{"tokenizer_class", "MarianTokenizer"}};
  nlohmann::json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"model_input_names", input_names(model)}};

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

// The content of a special token of tokenizer_config.json, which may be spelled out as an object; "" where it has none.
std::string special_token(const nlohmann::json& tokenizer_config, const char* role) {
  const nlohmann::json token = tokenizer_config.value(role, nlohmann::json());
  if (token.is_object()) return member(token, "content", std::string(), concat("tokenizer_config.json: ", role));
  return token.is_string() ? token.get<std::string>() : "";
}

// A transformers class that reads the last token finds it by pad_token_id, and refuses batches where config.json names
// none. The tokenizer's own padding token, else that which ends a sequence.
void name_padding(nlohmann::json& config, nlohmann::json& tokenizer_config, const Tokenizer& tokenizer) {
  const auto content = nlohmann::json::parse(tokenizer.to_json());
  if (config.contains("pad_token_id") && !config["pad_token_id"].is_null()) {
    if (!special_token(tokenizer_config, "pad_token").empty()) return;
    for (const auto& token : content["added_tokens"])
      if (token["id"] == config["pad_token_id"]) tokenizer_config["pad_token"] = token["content"];
    return;
  }
  const nlohmann::json usual = special_tokens_of(tokenizer.directory());  // its class's own among them
  for (const char* role : {"pad_token", "eos_token"}) {
    std::string padding = special_token(tokenizer_config, role);
    if (padding.empty()) padding = usual.value(role, "");
    for (const auto& token : content["added_tokens"])
      if (!padding.empty() && token["content"] == padding) {
        config["pad_token_id"] = token["id"];
        tokenizer_config["pad_token"] = padding;
        return;
      }
  }
}

// What chats were trained with: the one that the config names, else the model's file; "": it has none, or it stands in
// tokenizer_config.json.
std::string chat_template_of(const ModelDirectory& from, const std::string& chosen) {
  if (chosen.empty()) return from.text_of("chat_template.jinja");
  return ChatTemplate::find(from.texts_path(), chosen, today())->text();
}

// A model with more than one template, as transformers 5 lays them out, has them all in tokenizer_config.json, where
// every version of it finds them. Null: it has one.
nlohmann::json named_templates_of(const ModelDirectory& from, const std::string& usual) {
  const std::filesystem::path others = std::filesystem::path(from.texts_path()) / "additional_chat_templates";
  if (usual.empty() || !std::filesystem::is_directory(others)) return nullptr;
  std::map<std::string, std::string> named;
  for (const auto& entry : std::filesystem::directory_iterator(others))
    if (entry.path().extension() == ".jinja" && entry.path().stem() != "default")
      named[entry.path().stem().string()] = content_of(entry.path().string());
  if (named.empty()) return nullptr;
  nlohmann::json all = nlohmann::json::array();
  all.push_back({{"name", "default"}, {"template", usual}});
  for (const auto& [name, text] : named) all.push_back({{"name", name}, {"template", text}});
  return all;
}

}  // namespace

NamedFiles exported_files(const ModelDirectory& from, const Learner& learner, const RunConfig& run,
                          const Tokenizer* tokenizer) {
  const Model& model = learner.model();
  const Task& task = learner.task();
  nlohmann::json config = model.config();
  config["architectures"] = {model.architecture(task_named(run.model.task).class_ending)};
  task.describe(config);
  config.erase("torch_dtype");  // transformers' older name
  config["dtype"] = dtype_of(learner.whole());
  if (is_keras_model(config)) set_keras_classes(config, std::ssize(config.at("id2label")));
  if (tokenizer == nullptr)
    return {
        {"config.json", config.dump(2) + "\n"},
        {"preprocessor_config.json", preprocessor_config(config, model.image_processor(), run.data).dump(2) + "\n"}};
  nlohmann::json tokenizer_config = from.json_of("tokenizer_config.json");
  if (!tokenizer_config.is_object()) tokenizer_config = usual_tokenizer_config(*tokenizer, model);
  // transformers 5 has a class that gives no token types unless it is asked, AlbertTokenizer.
  if (const auto limits = model.text_limits(); limits && limits->num_segments > 1)
    tokenizer_config.emplace("model_input_names", input_names(model));
  if (model.sequence_head().reads == Reads::last) name_padding(config, tokenizer_config, *tokenizer);
  tokenizer_config["model_max_length"] = run.data.max_length;
  tokenizer_config["truncation_side"] = run.data.truncation == "left" ? "left" : "right";
  std::string chat_template = chat_template_of(from, run.data.chat.chat_template);
  if (!chat_template.empty()) tokenizer_config.erase("chat_template");  // the file is the one that counts
  if (run.data.chat.chat_template.empty())
    if (const nlohmann::json all = named_templates_of(from, chat_template); !all.is_null()) {
      tokenizer_config["chat_template"] = all;
      chat_template.clear();
    }
  NamedFiles files{{"config.json", config.dump(2) + "\n"}, {"tokenizer_config.json", tokenizer_config.dump(2) + "\n"}};
  if (tokenizer->is_json()) files.emplace_back("tokenizer.json", tokenizer->to_json());
  if (!chat_template.empty()) files.emplace_back("chat_template.jinja", chat_template);
  if (task.generating() != nullptr) {
    const auto start_id = model.pair() ? std::optional<int64_t>(model.pair()->start_id) : std::nullopt;
    files.emplace_back("generation_config.json", generation_config(from, run.generate, start_id));
  }
  for (const char* name : {"special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
                           "sentencepiece.bpe.model", "spiece.model", "source.spm", "target.spm", "target_vocab.json"})
    if (std::string text = from.text_of(name); !text.empty()) files.emplace_back(name, std::move(text));
  return files;
}

ExportForm export_form(const RunConfig& run, const nlohmann::json& model) {
  ExportForm form{.most_bytes = run.save.max_shard_bytes};
  if (is_keras_model(model))
    form.other_forms = [model](const ExportedTensors& tensors) {
      return NamedFiles{{kKerasExport, keras_hdf5(model, tensors)}};
    };
  return form;
}

}  // namespace sft
