// What a sweep ends in: each trial's settings beside what its summary.json says.
#pragma once

#include <string>
#include <vector>

#include "launch/sweep_plan.h"

namespace sft {

class SweepTable {
 public:
  // Reads <directory>/<trial>/summary.json of each trial; one without it counts as not finished.
  SweepTable(const SweepPlan& plan, const std::string& directory);

  std::string csv() const;   // every metric, RFC 4180
  std::string text() const;  // the settings and main metrics in columns

 private:
  using Row = std::vector<std::string>;
  std::vector<Row> rows_;  // the first holds the names
  size_t num_settings_;    // columns after the trial's name
};

}  // namespace sft
