// One JSON object to a row.
#pragma once

#include <string>
#include <string_view>

#include "data/readers/row.h"

namespace sft {

// Fills `row` from `json`; row.line is set before. BadRow where it is not valid JSON in UTF-8, or no object.
void parse_json_row(std::string_view json, const std::string& path, Row& row);

}  // namespace sft
