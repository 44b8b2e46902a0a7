// Training with a rate that grows from update to update, until it is plainly too high. Nothing is saved.
#pragma once

#include <cstdint>
#include <functional>

#include "trainer/assembly/assemble.h"
#include "trainer/range_test/rate_curve.h"

namespace sft {

struct RangeTest {
  double min_rate = 1e-7;
  double max_rate = 1.0;
  int64_t steps = 100;

  double rate(int64_t step) const;  // of update 0 … steps−1: a straight line on a logarithmic scale
};

enum class RangeEnd { all_steps, diverged, stopped };

// Every rank calls, with a run that has not trained yet; the curve and the end are the same on all of them. `seen`
// hears of each update. Batches, loss, clip and optimizer are the run's own; only its schedule is another.
RangeEnd run_range_test(const RangeTest& test, Assembly& run, RateCurve& curve,
                        const std::function<void(const RateCurve&)>& seen = {});

}  // namespace sft
