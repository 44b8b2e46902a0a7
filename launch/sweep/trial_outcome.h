// What has come of a trial, read from its run directory.
#pragma once

#include <optional>
#include <string>

#include "launch/sweep/rungs.h"

namespace sft {

struct TrialOutcome {
  enum class End { finished, pruned };

  End end = End::finished;
  double best = 0;  // less is better: the negative of scores of which more is better
  Evaluations evaluations;
  std::string metric;  // "eval_loss, less": by which it chose its best model
  bool greater_is_better = false;
};

// Nothing where no summary says that the run has ended. ConfigError where it has ended without an evaluation.
std::optional<TrialOutcome> outcome_of(const std::string& run_directory);

}  // namespace sft
