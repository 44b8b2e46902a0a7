// A communicator whose calls, and those of its parts, are spans of the timeline: "all_reduce of 1024 f32 by sum". On a
// device a call ends when it is queued.
#pragma once

#include <memory>

#include "comm/observed.h"

namespace sft {

std::unique_ptr<Communicator> traced(std::unique_ptr<Communicator> inner);

}  // namespace sft
