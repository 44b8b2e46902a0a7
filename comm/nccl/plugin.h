// What libsft_cuda.so exports, in C names so that it can be looked up. Both sides are built from
// one tree by one compiler, so C++ types may pass.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft::nccl {

// The UUIDs of the devices that CUDA can use here, in their order; DeviceError with CUDA's reason where it cannot be
// asked.
using ListDevices = void(std::vector<std::string>* uuids);
inline constexpr const char* kListDevices = "sft_cuda_list_devices";

// The world of `placement` on its device. `control` carries NCCL's address from
// rank 0 to the others, and stays with the result.
using Connect = void(const Placement& placement, std::unique_ptr<Communicator> control,
                     std::unique_ptr<Communicator>* world);
inline constexpr const char* kConnect = "sft_cuda_connect";

}  // namespace sft::nccl
