// Which device this rank computes on, and with how many threads.
#pragma once

#include <c10/core/Device.h>

#include <string>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft {

// `wanted` is auto, cpu or cuda; under cuda, the device of the local rank. "auto" takes a GPU where
// each rank of the host has one. DeviceError where cuda is asked for and cannot be had, saying why.
// To be called before anything touches CUDA in LibTorch: it loads what it needs.
c10::Device choose_device(const std::string& wanted, const Placement& placement);

// The same for all ranks: where one of them has no GPU to itself, "auto" takes the CPU on all, and "cuda" fails on all.
// Collective over `control`.
c10::Device agree_on_device(const std::string& wanted, const Placement& placement, Communicator& control);

// Gives LibTorch `wanted` threads; 0: this rank's share of the cores that it may run on, with a word
// where cores stay unused. Tells whether one of the share is left over. Collective over `control`.
bool set_threads(int64_t wanted, Communicator& control);

}  // namespace sft
