#include "trainer/tasks/causal_lm/rows/stop_tokens.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/text/model_texts.h"

namespace sft::causal {
namespace {

using nlohmann::json;

void add_ids(const json& config, std::vector<int32_t>& into) {
  const auto found = config.find("eos_token_id");
  if (found == config.end()) return;
  for (const json& id : found->is_array() ? *found : json::array({*found}))
    if (id.is_number_integer() && id >= 0 && id <= INT32_MAX) into.push_back(id.get<int32_t>());
}

}  // namespace

StopTokens::StopTokens(const Tokenizer& tokenizer) {
  for (const char* file : {"generation_config.json", "config.json"})
    add_ids(object_of(tokenizer.directory(), file), eos_ids_);
  std::ranges::sort(eos_ids_);
  const auto repeated = std::ranges::unique(eos_ids_);
  eos_ids_.erase(repeated.begin(), repeated.end());
  for (const int32_t id : eos_ids_)
    if (id >= 0 && id < tokenizer.vocab_size()) add(id, tokenizer.decode(std::vector<int32_t>{id}));
  const json parsed = json::parse(tokenizer.to_json());
  for (const json& token : parsed.value("added_tokens", json::array()))
    if (token.value("special", false)) add(token.at("id"), token.at("content"));
  std::ranges::stable_sort(tokens_, std::ranges::greater(), [](const Token& token) { return token.text.size(); });
}

void StopTokens::add(int32_t id, const std::string& text) {
  if (!text.empty() && name_of(id).empty()) tokens_.push_back({id, text});
}

std::string StopTokens::eos_names() const {
  std::vector<std::string> names;
  for (const int32_t id : eos_ids_) {
    const std::string name = name_of(id);
    names.push_back(name.empty() ? concat("id ", id) : name);
  }
  return names.empty() ? "none" : join(names, ", ");
}

std::string_view StopTokens::at_end_of(std::string_view text) const {
  const auto found = std::ranges::find_if(tokens_, [&](const Token& token) { return text.ends_with(token.text); });
  return found == tokens_.end() ? std::string_view() : found->text;
}

std::string_view StopTokens::at_begin_of(std::string_view text) const {
  const auto found = std::ranges::find_if(tokens_, [&](const Token& token) { return text.starts_with(token.text); });
  return found == tokens_.end() ? std::string_view() : found->text;
}

std::string StopTokens::name_of(int32_t id) const {
  const auto found = std::ranges::find(tokens_, id, &Token::id);
  return found == tokens_.end() ? "" : found->text;
}

}  // namespace sft::causal
