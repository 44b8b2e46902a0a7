// What the passes of flash attention share.
#pragma once

#include <type_traits>

#include "trainer/models/cuda/kept_bits.cuh"
#include "trainer/models/cuda/kernels.h"
#include "trainer/models/cuda/launch.h"
#include "trainer/models/cuda/tiles.cuh"

namespace sft::cuda {

// Powers are of two: e^(score / √D) = 2^(score · this).
template <int D>
__device__ float log2_scale() {
  return 1.4426950408889634F * rsqrtf(static_cast<float>(D));
}

// Packed rows of one head of one sequence.
template <int D>
struct HeadRows {
  int64_t stride, offset, of_all;

  __device__ HeadRows(const DeviceFlash& work, const OneHead& one)
      : stride(work.heads * D),
        offset(one.first_row * stride + one.head * D),
        of_all(one.head * work.num_rows + one.first_row) {}

  __device__ const __nv_bfloat16* of(const void* rows) const {
    return static_cast<const __nv_bfloat16*>(rows) + offset;
  }
  // Of one number a row and head, [heads, N].
  __device__ float* of_head(float* numbers) const { return numbers + of_all; }

  // The thread's share of row `row`, from the upper (0) or lower (1) half of its products.
  __device__ void store(const Product (&sums)[D / 8], int half, float factor, int64_t row, const Lane& lane,
                        void* rows) const {
    auto* into = static_cast<__nv_bfloat16*>(rows) + offset + row * stride + lane.column;
#pragma unroll
    for (int n = 0; n < D / 8; ++n)
      *reinterpret_cast<uint32_t*>(into + n * 8) = packed(sums[n][2 * half] * factor, sums[n][2 * half + 1] * factor);
  }
};

// Over the four threads that share a row.
__device__ inline float sum_of_row(float value) {
  value += __shfl_xor_sync(0xFFFFFFFFu, value, 1);
  return value + __shfl_xor_sync(0xFFFFFFFFu, value, 2);
}

// Calls `body` with the width of a head as a constant.
template <class Body>
void with_width(int64_t width, Body&& body) {
  width == 32 ? body(std::integral_constant<int, 32>{}) : body(std::integral_constant<int, 64>{});
}

// Draws what stays for the passes behind it, and returns their grid: sequences, tiles of the longest, heads.
dim3 draw_for(const DeviceFlash& work, const Launch& launch);

}  // namespace sft::cuda
