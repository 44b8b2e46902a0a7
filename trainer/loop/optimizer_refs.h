// The optimizer's buffers as a checkpoint sees them.
#pragma once

#include <vector>

#include "trainer/loop/update.h"
#include "trainer/model_files/tensor_refs.h"

namespace sft {

// Optimizer::state() in host memory. References name buffers of the arena's size, and where ranks own different slices
// of it, the runs that this rank has.
HostTensors optimizer_in_host(const Update& update);

}  // namespace sft
