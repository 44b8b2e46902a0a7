// Devices and communicators of any device table.
#pragma once

#include <memory>

#include "comm/communicator.h"
#include "comm/nccl/device_table.h"
#include "comm/nccl/nccl.h"

namespace sft::nccl {

// What this process sees through `table`; DeviceError with the device's own reason where it cannot be asked.
std::vector<std::string> uuids_of(const DeviceTable& table);

// The world of `placement` on its device. `control` carries the link's address from rank 0 to the others, and stays
// with the result. CommError where the ranks cannot reach one another, or a first all-reduce comes back wrong.
std::unique_ptr<Communicator> connect(const DeviceTable& table, const Placement& placement,
                                      std::unique_ptr<Communicator> control);

}  // namespace sft::nccl
