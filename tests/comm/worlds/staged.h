// Lets what holds its values in host memory, as the conformance suite does, run over a communicator of device memory:
// each buffer is copied there and back, in the stream that computes.
#pragma once

#include <memory>

#include "comm/communicator.h"
#include "comm/nccl/device_table.h"

namespace sft::test {

// `device` of the table is that of `inner`.
std::unique_ptr<Communicator> staged(std::unique_ptr<Communicator> inner, const nccl::DeviceTable& table, int device);

}  // namespace sft::test
