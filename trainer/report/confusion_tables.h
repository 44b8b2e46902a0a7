// Which classes a classifier takes for which.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sft {

// The most confused pairs, then the whole matrix where it can be looked at, from `labels` and `confusion_matrix` of an
// evaluation's details. "" where there is none.
std::string confusion_tables(const nlohmann::ordered_json& details);

}  // namespace sft
