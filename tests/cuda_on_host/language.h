// What nvcc knows without being told, for a C++ compiler: included before all else in each .cu file. Functions have the
// meaning of the CUDA C++ Programming Guide.
#pragma once

#include <math.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "tests/cuda_on_host/block.h"

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(threads)
#define __shared__ static  // one block runs at a time; block.h poisons it between them

using std::max;
using std::min;

using sft::test::on_host::blockDim;
using sft::test::on_host::blockIdx;
using sft::test::on_host::gridDim;
using sft::test::on_host::threadIdx;

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};

inline void __syncthreads() { sft::test::on_host::sync_threads(); }

inline void __syncwarp() {
  sft::test::on_host::meet([](void* const*) {}, nullptr);
}

template <class T>
T __shfl_xor_sync(uint32_t mask, T value, int step) {
  struct Shuffle {
    uint32_t mask;
    int step;
    T value, received;
  } mine{mask, step, value, value};
  sft::test::on_host::meet(
      [](void* const* lanes) {
        for (int i = 0; i < sft::test::on_host::kWarp; ++i) {
          auto& here = *static_cast<Shuffle*>(lanes[i]);
          const auto& there = *static_cast<const Shuffle*>(lanes[i ^ here.step]);
          sft::test::on_host::require(here.mask == 0xFFFFFFFFu && there.step == here.step, "lanes shuffle otherwise");
          here.received = there.value;
        }
      },
      &mine);
  return mine.received;
}

inline uint32_t __umulhi(uint32_t a, uint32_t b) { return static_cast<uint32_t>(uint64_t{a} * b >> 32); }
inline uint32_t __funnelshift_r(uint32_t low, uint32_t high, uint32_t shift) {
  return static_cast<uint32_t>((uint64_t{high} << 32 | low) >> (shift & 31));
}
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
