// How kernels are queued. What of a launch nvcc alone understands stands here, as the instructions of a warp stand in
// mma.cuh: tests put other files in the place of the two and run the kernels on a host (tests/cuda_on_host).
#pragma once

#include <cstddef>
#include <cstdint>

#include "trainer/models/cuda/launch.h"

namespace sft::cuda {

// Blocks of a grid, threads of a block, and the bytes of shared memory that a kernel asks for by its launch.
struct Blocks {
  dim3 grid, threads;
  size_t shared_bytes = 0;
};

// Queues the kernel behind what the launch's stream has to do.
template <class... Parameters, class... Arguments>
void run(const Launch& launch, void (*kernel)(Parameters...), const Blocks& blocks, const Arguments&... arguments) {
  kernel<<<blocks.grid, blocks.threads, blocks.shared_bytes, launch.stream()>>>(arguments...);
}

// The block's shared memory that its launch asked for.
__device__ inline uint8_t* shared_of_launch() {
  extern __shared__ uint8_t bytes[];
  return bytes;
}

}  // namespace sft::cuda
