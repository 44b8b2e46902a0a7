// Cells as JSON, as the file that they come from would spell them there.
#pragma once

#include <nlohmann/json.hpp>

#include "data/readers/row.h"

namespace sft {

// Keys in their order. CellProblem where the value is none of JSON's: deeper than readers keep it, bytes, NaN, a whole
// number beyond 64 bits.
nlohmann::ordered_json json_of(const Cell& cell);

}  // namespace sft
