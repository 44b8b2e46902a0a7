// The job around a run: device, communicators and requests to stop. Made in launch, borrowed by all floors below.
#pragma once

#include <c10/core/Device.h>

#include <functional>

#include "comm/communicator.h"

namespace sft {

struct World {
  Communicator& gradients;  // joins tensors of `device`
  Communicator& control;    // joins host values
  at::Device device;
  std::function<bool()> stop_requested;  // a signal asked this rank for a checkpoint and the end
};

}  // namespace sft
