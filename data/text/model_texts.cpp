#include "data/text/model_texts.h"

#include <filesystem>
#include <set>
#include <vector>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/shallow_json.h"
#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

// Special tokens that a class of transformers' has where no file names any: its constructor's defaults.
struct ClassTokens {
  std::set<std::string> classes, model_types;
  json tokens;
};

const std::vector<ClassTokens>& defaults_of_classes() {
  static const std::vector<ClassTokens> kAll{
      {{"GPT2Tokenizer", "GPT2TokenizerFast"},
       {"gpt2"},
       {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}}},
      {{"Qwen2Tokenizer", "Qwen2TokenizerFast"},
       {"qwen2", "qwen3"},
       {{"eos_token", "<|endoftext|>"}, {"pad_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}}},
      {{"LlamaTokenizer", "LlamaTokenizerFast"},
       {"llama", "mistral"},
       {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}}}};
  return kAll;
}

// Of the class that the files name, tokenizer_config.json before config.json, else of the model's type.
json default_tokens_of(const std::string& directory, const json& settings) {
  const json model = object_of(directory, "config.json");
  const auto named = [](const json& in, const char* key) {
    return in.contains(key) && in[key].is_string() ? in[key].get<std::string>() : "";
  };
  std::string name = named(settings, "tokenizer_class");
  if (name.empty()) name = named(model, "tokenizer_class");
  for (const ClassTokens& one : defaults_of_classes())
    if (one.classes.contains(name) || (name.empty() && one.model_types.contains(named(model, "model_type"))))
      return one.tokens;
  return json::object();
}

// Whether a word stands in the tokenizer's files.
bool is_word_of(const std::string& directory, const std::string& token) {
  const std::string quoted = json(token).dump();
  return content_of(directory + "/tokenizer.json").find(quoted) != std::string::npos ||
         content_of(directory + "/vocab.json").find(quoted) != std::string::npos;
}

// A token is spelt as a string, or as an object with its settings.
std::string spelling_of(const json& token) {
  if (token.is_string()) return token.get<std::string>();
  const bool spelt = token.is_object() && token.contains("content") && token["content"].is_string();
  return spelt ? token["content"].get<std::string>() : "";
}

}  // namespace

std::string content_of(const std::string& path) {
  return std::filesystem::is_regular_file(path) ? read_file(path) : "";
}

json object_of(const std::string& directory, const std::string& file) {
  const std::string path = concat(directory, "/", file);
  const std::string text = content_of(path);
  if (text.empty()) return json::object();
  json found = parse_shallow_json(text, path);
  if (!found.is_object()) throw DataError(concat(path, ": not a JSON object"));
  return found;
}

json special_tokens_of(const std::string& directory) {
  const json settings = object_of(directory, "tokenizer_config.json");
  const json older = object_of(directory, "special_tokens_map.json");
  json found = json::object();
  for (const char* name :
       {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    const json& source = settings.contains(name) ? settings : older;
    const std::string spelling = source.contains(name) ? spelling_of(source[name]) : "";
    if (!spelling.empty()) found[name] = spelling;
  }
  const json of_class = default_tokens_of(directory, settings);
  for (const auto& [name, token] : of_class.items())
    if (!settings.contains(name) && !older.contains(name) && is_word_of(directory, token)) found[name] = token;
  return found;
}

}  // namespace sft
