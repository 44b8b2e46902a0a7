// The functions of the loopback's table.
#pragma once

#include "comm/nccl/device_table.h"
#include "tests/comm/loopback/streams.h"

namespace sft::test::loopback {

void fill_device_calls(nccl::DeviceTable& table);
void fill_link_calls(nccl::DeviceTable& table);

int device_of_thread();
inline LoopbackStream& stream_of(nccl::Stream stream) { return *reinterpret_cast<LoopbackStream*>(stream); }

}  // namespace sft::test::loopback
