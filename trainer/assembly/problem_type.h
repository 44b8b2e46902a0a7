// model.problem_type, transformers' name for the form of a sample's targets.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "data/readers/target_form.h"

namespace sft {

// The form that a problem type names; nothing for "", where the data decides.
std::optional<TargetForm> target_of(const std::string& problem_type);
std::string problem_type_of(TargetForm target);

// The form of a fine-tuned model's targets by its config.json. As in transformers, one output without a problem type is
// a regression.
TargetForm target_of_model(const nlohmann::json& config, size_t num_labels);

}  // namespace sft
