// Which device this rank computes on, and with how many threads.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft {

// This rank's device by launch/choose_device.h, which `placement` takes over: `wanted` is auto, cpu or cuda. To be
// called before anything touches CUDA in LibTorch: it loads what it needs. Collective over `control`; errors are the
// same on every rank.
c10::Device agree_on_device(const std::string& wanted, Placement& placement, Communicator& control);

// Gives LibTorch `wanted` threads; 0: this rank's share of the cores that it may run on, with a word
// where cores stay unused. Tells whether one of the share is left over. Collective over `control`.
bool set_threads(int64_t wanted, Communicator& control);

}  // namespace sft
