#include "launch/sweep/rungs.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sft {
namespace {

// The best of the first `count` values.
double best_by(const Evaluations& values, int64_t count) {
  double best = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < count; ++i)
    if (const double value = values[static_cast<size_t>(i)]; value < best) best = value;
  return best;
}

}  // namespace

Cutoffs cutoffs_of(const Pruning& pruning, const std::vector<Evaluations>& predecessors) {
  Cutoffs cutoffs;
  for (int64_t rung = pruning.min_evaluations;; rung *= pruning.reduction_factor) {
    std::vector<double> others;
    for (const Evaluations& values : predecessors)
      if (std::ssize(values) >= rung) others.push_back(best_by(values, rung));
    if (others.empty()) return cutoffs;  // nor at a later one
    std::ranges::sort(others);
    const int64_t stay = std::max<int64_t>(1, (std::ssize(others) + 1) / pruning.reduction_factor);
    const double cutoff = others[static_cast<size_t>(stay - 1)];
    if (std::isfinite(cutoff)) cutoffs[rung] = cutoff;
  }
}

}  // namespace sft
