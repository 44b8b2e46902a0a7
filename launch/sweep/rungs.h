// Which trials of a sweep go on: successive halving over rungs.
#pragma once

#include <optional>
#include <vector>

#include "launch/sweep/sweep_plan.h"
#include "trainer/loop/cutoffs.h"

namespace sft {

// The value of each evaluation of a trial, in order; less is better, not-a-number the worst.
using Evaluations = std::vector<double>;

// What a trial must have reached at each rung, given its predecessors. With n of those at a rung, itself among them,
// the best ⌊n / reduction_factor⌋, or one, go on; a trial is at a rung what its best evaluation is by then. Less is
// better.
Cutoffs cutoffs_of(const Pruning& pruning, const std::vector<Evaluations>& predecessors);

}  // namespace sft
