// What libsft_cuda.so exports, in C names so that it can be looked up. Both sides are built from
// one tree by one compiler, so C++ types may pass.
#pragma once

#include <memory>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft::nccl {

// Devices that CUDA can use here; DeviceError with CUDA's reason where it cannot be asked.
using DeviceCount = int();
inline constexpr const char* kDeviceCount = "sft_cuda_device_count";

// The world of `placement` on the device of its local rank. `control` carries NCCL's address from
// rank 0 to the others, and stays with the result.
using Connect = void(const Placement& placement, std::unique_ptr<Communicator> control,
                     std::unique_ptr<Communicator>* world);
inline constexpr const char* kConnect = "sft_cuda_connect";

}  // namespace sft::nccl
