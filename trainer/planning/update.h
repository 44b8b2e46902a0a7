// What an update would take over given links, from the calls of one rank whose peers were imagined.
#pragma once

#include <cstddef>
#include <vector>

#include "comm/imagined/imagined.h"
#include "trainer/planning/links.h"

namespace sft::planning {

struct Called {
  Operation::Kind kind = Operation::Kind::barrier;
  double bytes = 0;
  size_t waits_for = 0;  // of a wait: which of the update's calls
  double at = 0;         // seconds that the rank has computed since the update began
};

// One update of one rank.
struct TracedUpdate {
  double computing = 0;  // seconds, without what the calls themselves took
  std::vector<Called> calls;
};

// Calls [first, end of journal) of an update from `begin` to `end` (timeline::now()). A wait is for one of them.
TracedUpdate traced_update(const imagined::Journal& journal, size_t first, double begin, double end);

struct PlannedUpdate {
  double seconds = 0;
  double computing = 0;   // without what sums beside it take from it
  double waiting = 0;     // exposed: for calls that are not over when their result is needed
  double collective = 0;  // seconds that all calls take, beside computing too
  double bytes = 0;       // of the calls' buffers
};

// Calls are carried out one after the other, in their order, none before it was made. Where call i is ready at r_i and
// takes T_i it ends at t_i = max(t_{i−1}, r_i) + T_i; the rank stands still in a call until its t_i, and in the wait for
// a call that was started. Computing beside a call is slower by kBesideSums. `speed` times as fast as it was traced.
inline constexpr double kBesideSums = 0.02;  // an assumption: what cores or memory lose to a sum beside them
PlannedUpdate plan_update(const TracedUpdate& update, const Fabric& fabric, double speed = 1);

// Means.
PlannedUpdate plan_updates(const std::vector<TracedUpdate>& updates, const Fabric& fabric, double speed = 1);

}  // namespace sft::planning
