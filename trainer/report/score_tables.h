// What an evaluation's details say by class, by entity, by whatever a task counts by: every table of scores in them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sft {

// {"per_class": {name: {score: number}}} is a sortable table, the rows of most support first; {"macro": {score:
// number}} a row of one. Anything else is passed over.
std::string score_tables(const nlohmann::ordered_json& details);

}  // namespace sft
