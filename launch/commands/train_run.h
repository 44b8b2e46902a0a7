// A run of a sweep, which may be given up on the way.
#pragma once

#include "launch/job.h"
#include "trainer/config/run_config.h"
#include "trainer/loop/cutoffs.h"

namespace sft {

// train_run() that ends where the run has not reached a cutoff.
ExitCode train_run(LoadedConfig loaded, Job& job, const Cutoffs& cutoffs);

}  // namespace sft
