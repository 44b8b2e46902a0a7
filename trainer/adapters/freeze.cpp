#include "trainer/adapters/freeze.h"

#include <algorithm>
#include <cassert>
#include <string_view>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/adapters/name_pattern.h"

namespace sft {
namespace {

std::string key_of(std::string_view list, size_t i) { return concat("freeze.", list, "[", i, "]"); }

std::vector<NamePattern> compile(const StringList& regexes, std::string_view list) {
  std::vector<NamePattern> patterns;
  for (size_t i = 0; i < regexes.size(); ++i) patterns.emplace_back(regexes[i], key_of(list, i));
  return patterns;
}

bool any_matches(const std::vector<NamePattern>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const NamePattern& p) { return p.matches(name); });
}

void require_matches(const std::vector<NamePattern>& patterns, const Parameters& parameters) {
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) names.push_back(parameter.name);
  for (const NamePattern& pattern : patterns) pattern.require_match(names);
}

// A freeze regex of whose matches every one is made trainable again says nothing: one of the two is a mistake.
void refuse_contradictions(const std::vector<NamePattern>& freeze, const std::vector<NamePattern>& trainable,
                           const Parameters& parameters) {
  for (const NamePattern& pattern : freeze) {
    const bool takes_effect = std::any_of(parameters.begin(), parameters.end(), [&](const Parameter& parameter) {
      return pattern.matches(parameter.name) && !any_matches(trainable, parameter.name);
    });
    if (takes_effect) continue;
    throw ConfigError(concat(pattern.key(), " ", in_quotes(pattern.text()),
                             " contradicts freeze.trainable, which wins for every"
                             " parameter that it matches: remove one of them"));
  }
}

// Stages above the lowest block that trains: the head alone for 0; blocks, pooler and head for more.
int first_trained_stage(int64_t all_but_last, int num_blocks, int blocks_sharing_weights) {
  if (all_but_last > num_blocks) {
    throw ConfigError(concat("freeze.all_but_last: wanted at most the model's ", num_blocks, " blocks, found ",
                             all_but_last, "; leave it out to train everything"));
  }
  if (all_but_last > 0 && all_but_last % blocks_sharing_weights != 0) {
    throw ConfigError(concat("freeze.all_but_last: ", blocks_sharing_weights, " of the model's ", num_blocks,
                             " blocks share their weights, so that none trains without the others; wanted 0 (the head "
                             "alone) or a multiple of ",
                             blocks_sharing_weights, ", found ", all_but_last));
  }
  if (all_but_last < 0) return 0;
  return all_but_last == 0 ? num_blocks + 2 : num_blocks + 1 - static_cast<int>(all_but_last);
}

}  // namespace

std::vector<bool> choose_trained(const FreezeConfig& config, const Parameters& parameters, int num_blocks,
                                 int blocks_sharing_weights) {
  const auto freeze = compile(config.freeze, "freeze"), trainable = compile(config.trainable, "trainable");
  require_matches(freeze, parameters);
  require_matches(trainable, parameters);
  refuse_contradictions(freeze, trainable, parameters);

  const int first_trained = first_trained_stage(config.all_but_last, num_blocks, blocks_sharing_weights);
  std::vector<bool> trained;
  for (const Parameter& parameter : parameters) {
    const bool unfrozen = parameter.stage >= first_trained && !any_matches(freeze, parameter.name);
    trained.push_back(unfrozen || any_matches(trainable, parameter.name));
  }
  if (std::find(trained.begin(), trained.end(), true) == trained.end()) {
    throw ConfigError(concat("[freeze] leaves none of the model's ", parameters.size(),
                             " parameters to train: freeze less, or name some in freeze.trainable"));
  }
  return trained;
}

void refuse_beside_adapters(const FreezeConfig& config) {
  for (const auto& [key, is_set] : {std::pair{"freeze.freeze", !config.freeze.empty()},
                                    {"freeze.trainable", !config.trainable.empty()},
                                    {"freeze.all_but_last", config.all_but_last >= 0}})
    if (is_set)
      throw ConfigError(concat(key,
                               " says what trains, and so do adapters: these and the head train, all else is "
                               "frozen. Remove it; lora.target_modules chooses layers"));
}

std::string layers_of(std::vector<std::string> names, const Parameters& parameters, const std::vector<bool>& trained) {
  assert(parameters.size() == trained.size());
  std::vector<int> marks(names.size(), 0);  // 1: frozen, 2: something trains
  int of_head = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto stage = static_cast<size_t>(parameters[i].stage);
    int& mark = stage < marks.size() ? marks[stage] : of_head;
    mark = std::max(mark, trained[i] ? 2 : 1);
  }
  names.emplace_back("the output layer");
  marks.push_back(of_head);
  for (size_t s = 0; s < names.size(); ++s) names[s] = (marks[s] == 2 ? "+ " : marks[s] == 1 ? "- " : "") + names[s];
  return "layers (+ trained, - frozen): " + join(names, ", ");
}

std::string summary_of(const Parameters& parameters, const std::vector<bool>& trained) {
  assert(parameters.size() == trained.size());
  double num_trained = 0, num_all = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto size = static_cast<double>(parameters[i].value.numel());
    num_all += size;
    if (trained[i]) num_trained += size;
  }
  return concat("training ", human_count(num_trained), " of ", human_count(num_all), " parameters (",
                std::count(trained.begin(), trained.end(), true), " of ", parameters.size(), " tensors)");
}

}  // namespace sft
