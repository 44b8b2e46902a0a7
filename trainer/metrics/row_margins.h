// How far the given label of a training row was ahead of the others, epoch by epoch, and the file that tells it.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/schema.h"

namespace sft {

inline constexpr char kRowMarginsFile[] = "margins.jsonl";  // in a run directory

// Of a row in one epoch; −1 and not a number where it was not drawn. Of several draws the last counts.
struct RowMargin {
  float margin = std::numeric_limits<float>::quiet_NaN();       // the label's logit less the largest other one
  float probability = std::numeric_limits<float>::quiet_NaN();  // of the label
  int32_t label = -1, likely = -1;                              // the given one, and the likeliest of the others
  bool is_drawn() const { return label >= 0; }
};

// Over the epochs in which the row was drawn.
struct MarginSummary {
  double area_under_margin = 0;  // mean margin (Pleiss et al., "Identifying mislabeled data using the area under the
                                 // margin ranking", 2020, equations 1 and 2)
  double confidence = 0;         // mean probability, and
  double variability = 0;        // its standard deviation (Swayamdipta et al., "Dataset cartography", 2020, section 2)
};
MarginSummary summary_of(const std::vector<RowMargin>& of_row);  // one at least is drawn

// What margins.jsonl tells of a row. It is doubted where its area under the margin is below 0: over the epochs another
// label was ahead of the given one.
struct RowMargins {
  int64_t row = 0;
  std::string label, likely;  // the given label, and the likeliest other one of the last epoch
  MarginSummary summary;
  std::vector<RowMargin> epochs = {};
  std::string place = {}, text = {};  // of doubted rows, where they are known
  bool is_doubted() const { return summary.area_under_margin < 0; }
};

// Of a row that was drawn once at least.
RowMargins told_of(int64_t row, std::vector<RowMargin> epochs, const StringList& label_names);

// {"row", "label", "likely_label", "area_under_margin", "confidence", "variability", "margins": [one an epoch],
// "place", "text"} and a line's end.
std::string to_line(const RowMargins& row);

// The doubted rows of such a file without their epochs, the most doubted first. DataError naming a line that is none.
std::vector<RowMargins> doubted_rows(const std::string& path);

}  // namespace sft
