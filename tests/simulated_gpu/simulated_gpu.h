// GPUs that need no GPU: loopback devices (tests/comm/loopback) under LibTorch's own name for CUDA. The program opens
// them as it opens the real ones, by the names libcuda.so.1, libtorch_cuda.so and libsft_cuda.so, and knows nothing of
// it. Operators and our kernels are those of a CPU, run by a stream's thread behind all that it has to wait for.
//
// What a GPU would refuse is refused: a host that touches device memory (SIGSEGV), a host tensor among those of a
// device, memory of another device or that was freed, what is read before it is written (NaN).
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Allocator.h>

#include <functional>
#include <string>
#include <vector>

namespace sft::test::simulated {

inline constexpr auto kType = c10::DeviceType::CUDA;
inline constexpr auto kKey = c10::DispatchKey::CUDA;

c10::Allocator& device_memory();

// A tensor of device memory as one of a CPU, which only work in a stream may look into.
at::Tensor bytes_of(const at::Tensor& tensor);

// Memory that work in a stream touches.
struct Extent {
  const void* begin;
  size_t bytes;
};
Extent extent_of(const at::Tensor& tensor);

// Queues work in the device's stream, behind what is there. It is left out where memory may not be touched, and where
// it throws, the device has a fault. Throws what the device's first fault was.
void queue(int device, const std::string& name, std::vector<Extent> touched, std::function<void()> work);

// The calling thread waits for all that is queued on the device, which is counted by its reason.
void wait(int device, const std::string& why);

void refuse_after_a_fault();  // throws what a device's first fault was

// For the calling thread: operators of a CPU without autograd, on one core.
void with_host_operators(const std::function<void()>& body);

}  // namespace sft::test::simulated
