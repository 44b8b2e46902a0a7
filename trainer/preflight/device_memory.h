// The memory of a device that tensors have.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>

namespace sft {

// Bytes of LibTorch's tensors on `device` at their peak since the last restart, as its allocator counts them: blocks
// rounded up, and nothing of the driver or of NCCL. 0 for a CPU.
int64_t peak_device_bytes(c10::Device device);
void restart_peak_of_device(c10::Device device);

}  // namespace sft
