// A label as files spell it.
#pragma once

#include <string>
#include <string_view>

#include "data/readers/row.h"

namespace sft {

struct Label {
  std::string text;
  bool is_index = false;  // a whole number ≥ 0, written without leading zeros, and not as a JSON string
};

// CellProblem where it cannot be a label.
void read_label(const Cell& cell, Label& out);

// Digits without leading zeros, few enough for an int64.
bool is_index(std::string_view text);

}  // namespace sft
