// What a communicator has carried: calls, bytes and seconds by operation, and the one in progress.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "comm/observed.h"

namespace sft {

struct Traffic {
  int64_t calls = 0;
  int64_t bytes = 0;   // of this rank's longest buffer a call
  double seconds = 0;  // of the host; on a device a call returns when it is queued
};

struct Trace {
  std::array<Traffic, Operation::kKinds> by_kind;
  std::optional<Operation> current;

  const Traffic& of(Operation::Kind kind) const { return by_kind[static_cast<size_t>(kind)]; }
  Traffic total() const;
};

// Counts into `trace`, which outlives it, and so do the parts that it is split into.
std::unique_ptr<Communicator> traced(std::unique_ptr<Communicator> inner, Trace& trace);

}  // namespace sft
