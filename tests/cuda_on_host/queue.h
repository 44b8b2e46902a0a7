// Between kernels and the streams of simulated devices (tests/simulated_gpu), without LibTorch's headers.
#pragma once

#include <cstddef>
#include <functional>

namespace sft::test::on_host {

// Queues a kernel's work behind all that the device has to do.
void queue(int device, std::function<void()> work);

// Pointers to memory of devices, among the 8-byte words of a kernel's parameters, become those to its bytes.
void to_bytes(void* parameters, size_t size);

// DeviceError with the kernel's name where there is a reason.
void refuse_launch(const char* kernel, const char* reason);

}  // namespace sft::test::on_host
