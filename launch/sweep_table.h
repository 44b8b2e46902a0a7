// What a sweep ends in: each trial's settings beside what its summary.json says.
#pragma once

#include <string>
#include <vector>

#include "base/errors.h"
#include "launch/sweep_plan.h"

namespace sft {

class SweepTable {
 public:
  // Reads <directory>/<trial>/summary.json of each trial that ended with 0; `codes` are those of the plan's trials. One
  // that was refused or failed has no numbers here: those in its directory may be of other settings.
  SweepTable(const SweepPlan& plan, const std::vector<ExitCode>& codes, const std::string& directory);

  std::string csv() const;   // every metric, RFC 4180
  std::string text() const;  // the settings and main metrics in columns

 private:
  using Row = std::vector<std::string>;
  std::vector<Row> rows_;  // the first holds the names
  size_t num_settings_;    // columns after the trial's name
};

}  // namespace sft
