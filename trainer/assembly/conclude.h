// The results of a run whose loop has ended: the model, the test metrics and predictions, the summary, the
// report.
#pragma once

#include "base/errors.h"
#include "trainer/assembly/assemble.h"
#include "trainer/loop/trainer.h"

namespace sft {

// The `exit_reason` of a run whose last checkpoint was not saved.
inline constexpr const char* kNotSaved = "not_saved";

// Every rank calls. `done` after a whole run; `requeue` after a signal or max_time: then only the summary
// is written, and the run resumes from the checkpoint that the loop left. `cannot_write` where that could not be
// saved: the model of a whole run is left all the same, and the next start goes on from an earlier checkpoint.
ExitCode conclude(Assembly& run, StopReason reason);

}  // namespace sft
