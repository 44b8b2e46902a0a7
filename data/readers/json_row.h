// One JSON object to a row, values within values included.
#pragma once

#include <string>
#include <string_view>

#include "data/readers/row.h"

namespace sft {

// Deeper values are passed over: what holds nothing else may be millions deep.
inline constexpr size_t kMostDepth = 32;

// Shortest spelling of a number that reads back as the same value; a whole number without a point.
std::string shortest(double value);

// Fills `row` from `json`; row.line is set before. BadRow where it is not valid JSON in UTF-8, or no object.
void parse_json_row(std::string_view json, const std::string& path, Row& row);

// REASON of the parser's "[…] parse error at line 1, column 8: syntax error while parsing value - REASON; last read:
// '…'", whose last part may be as long as the text.
std::string json_reason(std::string_view text);

}  // namespace sft
