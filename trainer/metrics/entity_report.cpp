#include "trainer/metrics/entity_report.h"

#include <nlohmann/json.hpp>

#include "trainer/metrics/classification_report.h"

namespace sft {

nlohmann::ordered_json entity_scores(const EntityScores& scores) {
  const ClassScores micro = scores.micro();
  return {{"f1", micro.f1},
          {"precision", micro.precision},
          {"recall", micro.recall},
          {"f1_macro", scores.macro().f1},
          {"f1_weighted", scores.weighted().f1}};
}

nlohmann::ordered_json entity_details(const EntityScores& scores, const EntityScores& strict,
                                      const std::vector<std::string>& types) {
  auto per_type = nlohmann::ordered_json::object();
  for (size_t type = 0; type < types.size(); ++type)
    per_type[types[type]] = as_json(scores.of_type(static_cast<int64_t>(type)));
  return {{"per_type", std::move(per_type)},
          {"micro", as_json(scores.micro())},
          {"macro", as_json(scores.macro())},
          {"weighted", as_json(scores.weighted())},
          {"strict_micro", as_json(strict.micro())}};
}

}  // namespace sft
