// Repeated actions of a run (logging, evaluation, saving): due every N updates, and at the last one.
#pragma once

#include <cstdint>

namespace sft {

struct Cadence {
  int64_t every = 0;  // updates; 0: never
  int64_t last = 0;   // the run's last update, at which the action is due too, unless `every` is 0

  bool due(int64_t step) const { return every > 0 && (step % every == 0 || step == last); }
};

}  // namespace sft
