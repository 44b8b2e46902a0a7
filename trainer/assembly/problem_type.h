// model.problem_type, transformers' name for what the targets of a sample are.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "data/readers/target_form.h"

namespace sft {

// Nothing for "": the data tells.
std::optional<TargetForm> target_of(const std::string& problem_type);
std::string problem_type_of(TargetForm target);

// Of a fine-tuned model by its config.json. As in transformers, one output that is not told is a regression.
TargetForm target_of_model(const nlohmann::json& config, size_t num_labels);

}  // namespace sft
