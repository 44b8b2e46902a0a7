#include <algorithm>

#include "comm/nccl/plugin/pattern.h"

namespace sft::nccl {
namespace {

constexpr int kPeriod = 1021;  // a prime, so that no chunk or lane sees the same values as another
constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = 1024;

unsigned int blocks_for(int64_t count) {
  return static_cast<unsigned int>(std::clamp((count + kThreads - 1) / kThreads, int64_t{1}, kMostBlocks));
}

__device__ int64_t first_place() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ int64_t stride() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

__global__ void fill(float* values, int64_t count, float rank) {
  for (int64_t i = first_place(); i < count; i += stride()) values[i] = static_cast<float>(i % kPeriod) + rank;
}

__global__ void compare(const float* sums, int64_t count, float ranks, unsigned long long* wrong) {
  unsigned long long mine = 0;
  for (int64_t i = first_place(); i < count; i += stride())
    mine += sums[i] != static_cast<float>(i % kPeriod) * ranks + ranks * (ranks - 1) / 2;
  if (mine > 0) atomicAdd(wrong, mine);
}

}  // namespace

void fill_pattern(float* values, int64_t count, int rank, cudaStream_t stream) {
  fill<<<blocks_for(count), kThreads, 0, stream>>>(values, count, static_cast<float>(rank));
}

void count_wrong(const float* sums, int64_t count, int ranks, unsigned long long* wrong, cudaStream_t stream) {
  compare<<<blocks_for(count), kThreads, 0, stream>>>(sums, count, static_cast<float>(ranks), wrong);
}

}  // namespace sft::nccl
