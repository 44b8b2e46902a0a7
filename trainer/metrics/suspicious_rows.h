// Training rows whose labels are likely wrong by the word of models that have not seen them, and the file that lists
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sft {

struct SuspiciousRow {
  int64_t row = 0;
  std::string label, likely;          // the given label, and the likeliest one
  double self_confidence = 0;         // probability of the given label
  double margin = 0;                  // that less the largest probability of another label
  std::string place = {}, text = {};  // where they are known
};

// {"row", "place", "label", "likely_label", "self_confidence", "margin", "text"} and a line's end.
std::string to_line(const SuspiciousRow& row);

// The rows of such a file, in its order. ConfigError where there is no file, DataError naming a line that is none.
std::vector<SuspiciousRow> suspicious_rows(const std::string& path);

}  // namespace sft
