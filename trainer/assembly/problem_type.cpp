#include "trainer/assembly/problem_type.h"

#include <nlohmann/json.hpp>

namespace sft {

std::optional<TargetForm> target_of(const std::string& problem_type) {
  if (problem_type == "single_label_classification") return TargetForm::label;
  if (problem_type == "multi_label_classification") return TargetForm::label_set;
  if (problem_type == "regression") return TargetForm::values;
  return {};
}

std::string problem_type_of(TargetForm target) {
  switch (target) {
    case TargetForm::label_set:
      return "multi_label_classification";
    case TargetForm::values:
      return "regression";
    case TargetForm::label:
    case TargetForm::token_labels:
      break;
  }
  return "single_label_classification";
}

TargetForm target_of_model(const nlohmann::json& config, size_t num_labels) {
  const auto found = config.find("problem_type");
  if (found != config.end() && found->is_string())
    if (const auto target = target_of(found->get<std::string>())) return *target;
  return num_labels == 1 ? TargetForm::values : TargetForm::label;
}

}  // namespace sft
