// The trials of a sweep: which settings each of them has. A pure function of the [sweep] table and the seed, so that
// every process of a broken or parallel sweep sees the same trials.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/schema.h"

namespace sft {

struct Trial {
  std::string name;                    // of its settings, "optim.learning_rate=3e-05,seed=2": one name, one trial
  std::vector<std::string> overrides;  // "optim.learning_rate=3e-05", in the order of `parameters`
};

struct SweepPlan {
  std::vector<std::string> parameters;  // dotted keys, sorted
  std::vector<Trial> trials;            // each once, however often it was drawn or listed
};

// method grid: all combinations, the last key changes fastest. list: the i-th values together; lists of one length.
// random: num_trials draws, one of a list, or from a range { min, max, scale = "linear" | "log" }, uniform on that
// scale and rounded to six digits. ConfigError with the key otherwise.
SweepPlan plan_sweep(const Table& sweep, uint64_t seed);

}  // namespace sft
