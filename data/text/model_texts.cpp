#include "data/text/model_texts.h"

#include <filesystem>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/shallow_json.h"
#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

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
  return found;
}

}  // namespace sft
