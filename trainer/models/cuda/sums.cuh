// Sums over a block's threads, and over partial sums of rows: each has one order.
#pragma once

#include "trainer/models/blocks/device_kernels.h"
#include "trainer/models/cuda/launch.cuh"

namespace sft::cuda {

// The sums of every thread's values, on all threads of a block of whole warps.
template <class A, int K>
__device__ void sum_over_block(A (&values)[K]) {
  __shared__ A of_warp[32][K];
  const int warps = blockDim.x / 32;
  __syncthreads();  // the sums of the call before have been read
#pragma unroll
  for (A& value : values) {
    for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, step);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32][&value - values] = value;
  }
  __syncthreads();
#pragma unroll
  for (int k = 0; k < K; ++k) {
    values[k] = 0;
    for (int w = 0; w < warps; ++w) values[k] += of_warp[w][k];
  }
}

template <class A>
__device__ A sum_over_block(A value) {
  A values[1] = {value};
  sum_over_block(values);
  return values[0];
}

constexpr int kColumns = 32, kLanes = 32;

// Blocks for sum_of_parts() of so many columns.
inline Blocks blocks_of_parts(int64_t columns) {
  return {static_cast<unsigned>((columns + kColumns - 1) / kColumns), dim3(kColumns, kLanes)};
}

// A column of threads shares the parts [kPartialSums, columns] of one column. One thread of each gets the total and the
// column's number, the others −1.
template <class A>
__device__ int64_t sum_of_parts(const A* parts, int64_t columns, A& total) {
  __shared__ A of_lane[kLanes][kColumns];
  const int64_t place = static_cast<int64_t>(blockIdx.x) * kColumns + threadIdx.x;
  A sum = 0;
  if (place < columns)
    for (int64_t part = threadIdx.y; part < kPartialSums; part += kLanes) sum += parts[part * columns + place];
  of_lane[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  total = 0;
  if (threadIdx.y > 0 || place >= columns) return -1;
  for (int lane = 0; lane < kLanes; ++lane) total += of_lane[lane][threadIdx.x];
  return place;
}

}  // namespace sft::cuda
