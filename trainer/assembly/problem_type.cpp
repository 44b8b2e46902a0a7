#include "trainer/assembly/problem_type.h"

#include <nlohmann/json.hpp>

#include "trainer/tasks/tasks.h"

namespace sft {

std::optional<TargetForm> target_of(const std::string& problem_type) {
  for (const TaskKind& kind : tasks())
    if (!problem_type.empty() && problem_type == kind.problem_type) return kind.target;
  return {};
}

std::string problem_type_of(TargetForm target) {
  for (const TaskKind& kind : tasks())
    if (target == kind.target) return kind.problem_type;
  return "";
}

TargetForm target_of_model(const nlohmann::json& config, size_t num_labels) {
  const auto found = config.find("problem_type");
  if (found != config.end() && found->is_string())
    if (const auto target = target_of(found->get<std::string>())) return *target;
  return num_labels == 1 ? TargetForm::values : TargetForm::label;
}

}  // namespace sft
