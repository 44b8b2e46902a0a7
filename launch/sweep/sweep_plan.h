// The trials of a sweep: which settings each of them has. A pure function of the [sweep] table and the seed, and, with
// method tpe, of what has come of the trials of earlier rounds, so that every process of a broken or parallel sweep
// sees the same trials.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/schema.h"
#include "launch/sweep/search_space.h"

namespace sft {

struct Trial {
  std::string name;                    // of its settings, "optim.learning_rate=3e-05,seed=2": one name, one trial
  std::vector<std::string> overrides;  // "optim.learning_rate=3e-05", in the order of `parameters`
};

// What the config asks its runs to be compared by; nothing where it leaves that to the task.
struct AskedMeasure {
  std::string metric = {};  // "loss"; "": the task's
  std::optional<bool> greater_is_better = {};

  bool operator==(const AskedMeasure&) const = default;
};

// Of a sweep whose trials follow from each other: successive halving (Li et al., "A System for Massively Parallel
// Hyperparameter Tuning", 2018). A rung is an evaluation; the best of each `reduction_factor` go on behind it.
struct Pruning {
  int64_t reduction_factor = 3;
  int64_t min_evaluations = 1;  // the first rung; each next one is reduction_factor times as far
};

struct SweepPlan {
  std::vector<std::string> parameters;  // dotted keys, sorted
  std::vector<Trial> trials;            // each once, however often it was drawn or listed; of tpe: none yet
  size_t num_trials = 0;

  std::vector<Dimension> searched;  // of tpe
  size_t num_startup_trials = 0;    // of tpe: the first ones, drawn at random
  uint64_t seed = 0;
  std::optional<Pruning> pruning;
  size_t trials_per_round = 1;  // a trial knows of those of earlier rounds
  AskedMeasure asked = {};

  // Whether a trial depends on what has come of others.
  bool learns() const { return !searched.empty() || pruning.has_value(); }
  // The trials before this one are those that `trial` depends on.
  size_t round_of(size_t trial) const { return trial - trial % trials_per_round; }
};

// method grid: all combinations, the last key changes fastest. list: the i-th values together; lists of one length.
// random: num_trials draws, one of a list, or from a range { min, max, scale = "linear" | "log" }, uniform on that
// scale and rounded to six digits. tpe: num_trials, proposed one by one (proposal()). `whole_numbers`: keys that take
// whole numbers alone. `dotted`: other names of keys, as those without their section; a parameter is told and compared
// by its dotted key. ConfigError with the key otherwise.
SweepPlan plan_sweep(const Table& sweep, uint64_t seed, const KeySet& whole_numbers = {}, const KeyNames& dotted = {});

Trial trial_of(const std::vector<std::string>& parameters, const std::vector<Table>& values);

// Uniform in [0, 1), of a trial's parameter: the draw of method random.
double uniform_of(uint64_t seed, const std::string& parameter, uint64_t trial);

}  // namespace sft
