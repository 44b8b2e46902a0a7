#include "trainer/assembly/hyperparameters.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sft {
namespace {

constexpr std::array kAlways{"seed", "model.model_name_or_path", "optim.learning_rate", "train.num_train_epochs",
                             "train.global_batch_size"};
constexpr std::array kNever{"output_dir", "hooks", "sweep", "overwrite_output_dir", "resume_from_checkpoint"};

void add(const std::string& key, const nlohmann::json& value, const nlohmann::json& usual,
         nlohmann::ordered_json& into) {
  const bool is_wanted = value != usual || std::ranges::find(kAlways, key) != kAlways.end();
  if (!is_wanted) return;
  into[key] = value.is_structured() ? nlohmann::ordered_json(value.dump()) : nlohmann::ordered_json(value);
}

}  // namespace

nlohmann::ordered_json hyperparameters(const RunConfig& config) {
  const nlohmann::json all = to_json(config), usual = to_json(RunConfig());
  nlohmann::ordered_json found = nlohmann::ordered_json::object();
  for (const auto& [name, value] : all.items()) {
    if (std::ranges::find(kNever, name) != kNever.end()) continue;
    if (!value.is_object()) {
      add(name, value, usual[name], found);
      continue;
    }
    for (const auto& [key, of_section] : value.items())
      add(concat(name, ".", key), of_section, usual[name].value(key, nlohmann::json()), found);
  }
  return found;
}

}  // namespace sft
