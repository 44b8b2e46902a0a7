// A prediction, told with its explanation.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "trainer/learner/attribution.h"

namespace sft {

// Adds {"explanation": {"by": way, …told, "convergence_delta"}} to a JSON object; the last of integrated gradients.
inline void add_explanation(std::string& prediction, const std::string& way, const nlohmann::ordered_json& told,
                            const Attribution& attribution) {
  auto row = nlohmann::ordered_json::parse(prediction);
  nlohmann::ordered_json& explanation = row["explanation"] = {{"by", way}};
  explanation.update(told);
  if (way == "integrated") explanation["convergence_delta"] = attribution.convergence_delta;
  prediction = row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace sft
