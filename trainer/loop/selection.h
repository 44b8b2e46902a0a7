// The best evaluation of a run, and early stopping.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "trainer/loop/cutoffs.h"
#include "trainer/loop/run_state.h"

namespace sft {

// In measured_by, in front of settings of scoring that are not the usual ones.
inline constexpr char kScoredWith[] = ", scored with ";

struct Selection {
  std::string metric;  // without the eval_ prefix
  bool greater_is_better = true;
  std::string measured_by;      // that, and the rows of the evaluations: values of others cannot be compared
  int64_t patience = 0;         // evaluations without gain before training ends; 0: no early stopping
  bool saves_best = false;      // a checkpoint is written at each best evaluation
  bool ends_with_best = false;  // the best model is the one that is left

  // Takes the value into the state; true when it is the best so far. Not-a-number is no result: neither better nor an
  // evaluation without gain.
  bool improves(double value, RunState& state) const {
    if (std::isnan(value)) return false;
    const bool better =
        !state.best_metric || (greater_is_better ? value > *state.best_metric : value < *state.best_metric);
    state.evaluations_without_gain = better ? 0 : state.evaluations_without_gain + 1;
    if (better) {
      state.best_metric = value;
      state.best_step = state.step;
      state.best_measured_by = measured_by;
    }
    return better;
  }

  // Forgets a best value of another metric, otherwise scored, or of other rows. Whether there was one.
  bool forgets_other(RunState& state) const {
    if (!state.best_metric || state.best_measured_by.empty() || state.best_measured_by == measured_by) return false;
    const bool is_of_earlier_build = state.best_step == 0;  // which did not write down how it scored
    if (is_of_earlier_build && measured_by.starts_with(state.best_measured_by + kScoredWith)) {
      state.best_measured_by = measured_by;
      return false;
    }
    forget(state);
    return true;
  }

  static void forget(RunState& state) {
    state.best_metric.reset();
    state.best_step = 0;
    state.best_checkpoint.clear();
    state.best_measured_by.clear();
    state.evaluations_without_gain = 0;
  }

  // Whether the best so far is not as good as the cutoff of this many evaluations.
  bool falls_behind(const Cutoffs& cutoffs, const RunState& state) const {
    const auto cutoff = cutoffs.find(state.evaluations);
    if (cutoff == cutoffs.end()) return false;
    return !state.best_metric ||
           (greater_is_better ? *state.best_metric < cutoff->second : *state.best_metric > cutoff->second);
  }
  bool exhausted(const RunState& state) const { return patience > 0 && state.evaluations_without_gain >= patience; }
};

}  // namespace sft
