#include "trainer/training_keys.h"

#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

// Dotted keys and whole sections that may change between a run and its resumption.
constexpr const char* kFree[] = {"output_dir",
                                 "resume_from_checkpoint",
                                 "overwrite_output_dir",
                                 "device",
                                 "threads",
                                 "sweep",
                                 "eval",
                                 "save",
                                 "log",
                                 "comm",
                                 "model.model_name_or_path",
                                 "data.train_file",
                                 "data.validation_file",
                                 "data.test_file",
                                 "data.max_eval_samples",
                                 "data.prepared_dir",
                                 "data.on_bad_row",
                                 "freeze.cache",
                                 "train.num_train_epochs",
                                 "train.max_steps",
                                 "train.max_time",
                                 "train.max_tokens_per_micro_batch",
                                 "train.global_batch_size",
                                 "train.per_device_train_batch_size",
                                 "train.gradient_accumulation_steps",
                                 "train.gradient_checkpointing"};

void erase(nlohmann::json& json, const std::string& key) {
  const size_t dot = key.find('.');
  if (dot == std::string::npos)
    json.erase(key);
  else if (json.contains(key.substr(0, dot)))
    json[key.substr(0, dot)].erase(key.substr(dot + 1));
}

}  // namespace

nlohmann::json training_keys(const RunConfig& config, int64_t global_batch_size, const std::string& data_fingerprint) {
  nlohmann::json keys = to_json(config);
  for (const char* key : kFree) erase(keys, key);
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
