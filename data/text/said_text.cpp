#include "data/text/said_text.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "data/text/model_texts.h"

namespace sft {
namespace {

using nlohmann::json;

// The added tokens of a tokenizer.json. Its words are passed over, which are most of it.
json added_tokens_of(const Tokenizer& tokenizer) {
  const auto keep = [](int depth, json::parse_event_t event, json& parsed) {
    return depth != 1 || event != json::parse_event_t::key || parsed == "added_tokens";
  };
  return json::parse(tokenizer.to_json(), keep).value("added_tokens", json::array());
}

}  // namespace

// Those that the tokenizer has as special, and those that stand beside it in a role, which transformers makes special.
SaidText::SaidText(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
  std::set<std::string> in_a_role;
  const json named = special_tokens_of(tokenizer.directory());
  for (const json& token : named) in_a_role.insert(token.get<std::string>());
  for (const json& token : added_tokens_of(tokenizer))
    if (token.value("special", false) || in_a_role.contains(token.at("content").get<std::string>()))
      special_.insert(token.at("id").get<int32_t>());
}

std::string SaidText::of(std::span<const int32_t> ids) const {
  std::vector<int32_t> words;
  for (const int32_t id : ids)
    if (!special_.contains(id)) words.push_back(id);
  return tokenizer_.decode(words);
}

}  // namespace sft
