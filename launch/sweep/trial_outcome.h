// What has come of a trial, read from its run directory.
#pragma once

#include <optional>
#include <string>

#include "launch/sweep/rungs.h"

namespace sft {

// By which a run chooses its best model.
struct Measure {
  std::string metric;  // "eval_loss"
  bool greater_is_better = false;

  bool operator==(const Measure&) const = default;
};

struct TrialOutcome {
  enum class End { finished, pruned };

  End end = End::finished;
  double best = 0;  // less is better: the negative of scores of which more is better
  Evaluations evaluations;
  Measure measure;
};

// Nothing where no summary says that the run has ended. ConfigError where it has ended without an evaluation.
std::optional<TrialOutcome> outcome_of(const std::string& run_directory);

// Of a run that has ended as outcome_of() wants it. Nothing: it has not, or chose by none.
std::optional<Measure> measure_of(const std::string& run_directory);

// "eval_loss (less is better)".
std::string text_of(const Measure& measure);

}  // namespace sft
