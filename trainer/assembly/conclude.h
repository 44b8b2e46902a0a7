// The results of a run whose loop has ended: the model, the test metrics and predictions, the summary, the
// report.
#pragma once

#include "base/errors.h"
#include "trainer/assembly/assemble.h"
#include "trainer/loop/trainer.h"

namespace sft {

// Every rank calls. `done` after a whole run; `requeue` after a signal or max_time: then only the summary
// is written, and the run resumes from the checkpoint that the loop left.
ExitCode conclude(Assembly& run, StopReason reason);

}  // namespace sft
