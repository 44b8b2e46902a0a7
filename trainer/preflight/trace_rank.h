// Some updates of one rank of a world that is not there: its share of the rows, the buckets and the slices of that many
// ranks, and what they weigh.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/imagined/imagined.h"
#include "trainer/assembly/assemble.h"
#include "trainer/planning/memory.h"
#include "trainer/planning/update.h"
#include "trainer/preflight/allocations.h"

namespace sft {

struct RankTrace {
  std::vector<planning::TracedUpdate> updates;  // behind the first one
  planning::Weighed weighed;
  double flops = 0;      // of an update, forward and backward, on this rank
  int64_t resident = 0;  // bytes of this process at its peak
  std::string strategy;  // parallel.strategy of the traced run
  bool may_spread_weights = false;  // zero3 is built for it
  int64_t updates_of_epoch = 0, updates_of_run = 0, rows_of_update = 0;
};

// `run` was assembled over communicators of comm/imagined with this journal, and has not trained. Two updates at least
// where it has so many, `most_updates` at most, and none after `most_seconds`. Only this rank works. Error with
// ExitCode::requeue after a signal. `allocations` were
// counted before the run was assembled; `program_bytes` are what the process had then.
RankTrace trace_rank(Assembly& run, const imagined::Journal& journal, Allocations& allocations, int64_t program_bytes,
                     int64_t most_updates, double most_seconds);

}  // namespace sft
