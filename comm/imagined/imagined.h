// A rank of a world of which it alone is there: nothing is sent. What it calls is written down with the time, and what
// these calls would take over real links can be reckoned (trainer/planning).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "comm/observed.h"

namespace sft::imagined {

struct Call {
  Operation::Kind kind = Operation::Kind::barrier;
  int64_t bytes = 0;          // of the longest buffer
  size_t waits_for = 0;       // of a wait: which call of the journal
  double begin = 0, end = 0;  // seconds of timeline::now()
};
using Journal = std::vector<Call>;

struct World {
  int rank = 0, size = 1;
  bool overlaps = false;  // whether what is started goes on beside its caller's work in the world that is imagined
  // Before a call is written down: waits for a device that is still at what comes before it.
  std::function<void()> settle = [] {};
};

// For values of the host: each peer brings what this rank brings itself.
std::unique_ptr<Communicator> control(World world, std::shared_ptr<Journal> journal);

// For gradients and weights, in whatever memory: a peer brings zeros to a sum, and to an all_gather what stands in its
// place already. The shard of a reduce_scatter or an all_gather is its own place in the values, so nothing is moved.
std::unique_ptr<Communicator> gradients(World world, std::shared_ptr<Journal> journal);

}  // namespace sft::imagined
