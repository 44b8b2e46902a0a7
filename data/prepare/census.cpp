#include "data/prepare/census.h"

#include <nlohmann/json.hpp>

namespace sft {

using nlohmann::json;

std::string Census::told(const std::string& fact) const {
  const auto found = facts_.find(fact);
  return found == facts_.end() ? "" : found->second.second;
}

void Census::merge(const Census& other) {
  num_rows += other.num_rows;
  num_ungrouped += other.num_ungrouped;
  labels.merge(other.labels);
  groups.merge(other.groups.keys());
  for (const auto& [fact, word] : other.facts_) {
    const auto [known, is_new] = facts_.try_emplace(fact, word);
    if (!is_new && word.first < known->second.first) known->second = word;
  }
}

std::string Census::to_json() const {
  const json out = {{"rows", num_rows},
                    {"ungrouped", num_ungrouped},
                    {"labels", labels.labels()},
                    {"groups", groups.keys()},
                    {"facts", facts_}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Census Census::from_json(const std::string& text) {
  const json in = json::parse(text);
  Census census;
  in.at("rows").get_to(census.num_rows);
  in.at("ungrouped").get_to(census.num_ungrouped);
  census.labels = LabelCensus::of(in.at("labels"));
  census.groups.merge(in.at("groups"));
  in.at("facts").get_to(census.facts_);
  return census;
}

}  // namespace sft
