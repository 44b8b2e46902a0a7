#include "trainer/config/training_keys.h"

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

void check_same_training(const nlohmann::json& before, const nlohmann::json& now, const std::string& checkpoint) {
  const nlohmann::json old_flat = before.flatten(), new_flat = now.flatten();
  std::vector<std::string> changes;
  for (const auto& [pointer, value] : new_flat.items()) {
    const nlohmann::json then = old_flat.contains(pointer) ? old_flat[pointer] : nlohmann::json();
    if (then == value) continue;
    std::string key = pointer.substr(1);
    for (char& c : key) c = c == '/' ? '.' : c;
    changes.push_back(concat(key, " was ", then.dump(), " and is ", value.dump()));
  }
  if (!changes.empty())
    throw ConfigError(
        concat(checkpoint, " was trained with other settings: ", join(changes, "; "),
               ". Put them back, or start anew with resume_from_checkpoint = \"none\" and another output_dir"));
}

}  // namespace sft
