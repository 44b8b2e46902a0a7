// When something that repeats is due: every so many updates, and at the last one.
#pragma once

#include <cstdint>

namespace sft {

struct Cadence {
  int64_t every = 0;  // updates; 0: never
  int64_t last = 0;   // the run's last update; due then too, where it is due at all

  bool due(int64_t step) const { return every > 0 && (step % every == 0 || step == last); }
};

}  // namespace sft
