// Ranks with a GPU each, over NCCL. What touches CUDA lives in the plugin libsft_cuda.so, which is
// opened here when a driver is present, so that one binary serves nodes with and without GPUs; it gives a table of
// functions (device_table.h), and all else is in this folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/nccl/device_table.h"
#include "comm/placement.h"

namespace sft::nccl {

// What this process sees of its host's GPUs: their UUIDs, or why there are none.
struct Devices {
  std::vector<std::string> uuids;
  std::string reason;
};
Devices devices();

// Why this backend cannot be used here; empty where the placement's device is there.
std::string unavailable(const Placement& placement);

// The plugin's; null where there is none.
const DeviceTable* device_table();

// What else the plugin exports, for those above who have something in it too; null where there is none.
void* plugin_symbol(const char* name);

// The world of this process on its device. DeviceError where the plugin or the
// device cannot be had, CommError where the ranks cannot reach one another.
std::unique_ptr<Communicator> connect(const Placement& placement);

}  // namespace sft::nccl
