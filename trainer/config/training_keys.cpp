#include "trainer/config/training_keys.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

// A section goes with its last key.
void erase(nlohmann::json& json, const std::string& key) {
  const size_t dot = key.find('.');
  if (dot == std::string::npos) {
    json.erase(key);
    return;
  }
  const std::string section = key.substr(0, dot);
  json[section].erase(key.substr(dot + 1));
  if (json[section].empty()) json.erase(section);
}

// "/freeze/freeze/0" → "freeze.freeze.0".
std::string key_of(const std::string& pointer) {
  std::string key = pointer.substr(1);
  std::ranges::replace(key, '/', '.');
  return key;
}

// Null where a list has become shorter, or the key is of another version of the program.
nlohmann::json value_at(const nlohmann::json& flat, const std::string& pointer) {
  const auto found = flat.find(pointer);
  return found == flat.end() ? nlohmann::json() : *found;
}

// What a program of before did not write down at all cannot be compared.
std::string section_of(const std::string& pointer) { return pointer.substr(1, pointer.find('/', 1) - 1); }

// A setting that a build of before did not have was as its default is now.
nlohmann::json with_later_settings(nlohmann::json before, const nlohmann::json& now) {
  const nlohmann::json defaults = to_json(RunConfig());
  for (const auto& [section, settings] : now.items()) {
    if (!settings.is_object() || !before.contains(section) || !before[section].is_object()) continue;
    for (const auto& [key, value] : settings.items())
      if (!before[section].contains(key) && defaults.contains(section) && defaults[section].contains(key))
        before[section][key] = defaults[section][key];
  }
  return before;
}

bool has(const nlohmann::json& json, const std::string& key) {
  const size_t dot = key.find('.');
  if (dot == std::string::npos) return json.contains(key);
  const std::string section = key.substr(0, dot);
  return json.contains(section) && json[section].contains(key.substr(dot + 1));
}

// What a build of before wrote down, and may change by now.
nlohmann::json without_changeable(nlohmann::json before, const nlohmann::json& now) {
  RunConfig declared;
  for (const BoundField& field : bind_fields(declared))
    if (field.info.may_change && has(before, field.key()) && !has(now, field.key())) erase(before, field.key());
  return before;
}

}  // namespace

nlohmann::json training_keys(const RunConfig& config, int64_t global_batch_size, const std::string& data_fingerprint) {
  nlohmann::json keys = to_json(config);
  RunConfig declared;
  for (const BoundField& field : bind_fields(declared))
    if (field.info.may_change) erase(keys, field.key());
  keys["train"]["global_batch_size"] = global_batch_size;
  keys["training_data"] = data_fingerprint;
  return keys;
}

void check_same_training(const nlohmann::json& before, const nlohmann::json& now, const std::string& trained) {
  const nlohmann::json old_flat = without_changeable(with_later_settings(before, now), now).flatten(),
                       new_flat = now.flatten();
  std::set<std::string> pointers;
  for (const nlohmann::json* flat : {&old_flat, &new_flat})
    for (const auto& [pointer, value] : flat->items()) pointers.insert(pointer);
  std::vector<std::string> changes;
  for (const std::string& pointer : pointers) {
    if (!before.contains(section_of(pointer))) continue;
    const nlohmann::json then = value_at(old_flat, pointer), value = value_at(new_flat, pointer);
    if (then != value) changes.push_back(concat(key_of(pointer), " was ", then.dump(), " and is ", value.dump()));
  }
  if (!changes.empty())
    throw ConfigError(concat(trained, " was trained with other settings: ", join(changes, "; "),
                             ". Put them back, or start anew in another output_dir; overwrite_output_dir = true moves "
                             "this run aside"));
}

void check_not_shorter(int64_t made, int64_t asked, const std::string& trained) {
  if (made > asked)
    throw ConfigError(concat(trained, " has made ", made,
                             " updates, and train.num_train_epochs or train.max_steps now ask for ", asked,
                             ". Put them back, or start anew in another output_dir"));
}

}  // namespace sft
