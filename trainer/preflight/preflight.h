// What a run will take, measured on a few of its own updates before it is started. Nothing is saved.
#pragma once

#include <cstdint>

#include "trainer/assembly/assemble.h"

namespace sft {

struct Preflight {
  int64_t measured = 0;           // updates that were timed, behind the first one
  double seconds_per_update = 0;  // their mean, of the slowest rank
  int64_t updates_per_epoch = 0;
  int64_t peak_rss_bytes = 0;    // of the largest rank, until the last of them
  int64_t peak_device_bytes = 0;  // of the updates, on the GPU of the largest rank (device_memory.h)
  int64_t available_bytes = 0;   // of the host of rank 0, while all ranks hold what they need
  int64_t checkpoint_bytes = 0;  // weights that are saved, and the optimizer's state
  int64_t model_bytes = 0;       // all weights, in the types that they are held in
};

// Makes updates of a run that has not trained yet: two at least where it has so many, `most_updates` at most, and none
// after `most_seconds`. Every rank calls, and gets the same; only rank 0's available_bytes count. Error with
// ExitCode::requeue on every rank after a signal.
Preflight try_updates(Assembly& run, int64_t most_updates, double most_seconds);

}  // namespace sft
