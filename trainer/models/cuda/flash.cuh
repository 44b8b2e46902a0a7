// What the passes of flash attention share.
#pragma once

#include <type_traits>

#include "trainer/models/cuda/kept_bits.cuh"
#include "trainer/models/cuda/kernels.h"
#include "trainer/models/cuda/launch.cuh"
#include "trainer/models/cuda/tiles.cuh"

namespace sft::cuda {

// Powers are of two: e^(score / √D) = 2^(score · this).
template <int D>
__device__ float log2_scale() {
  return 1.4426950408889634F * rsqrtf(static_cast<float>(D));
}

// Packed rows of one head of one sequence: of its queries, or of the keys that they read.
template <int D>
struct HeadRows {
  int64_t stride, offset;

  static __device__ HeadRows queries(const DeviceFlash& work, const OneHead& one) {
    return {work.heads, one.query_row, one.head};
  }
  static __device__ HeadRows keys(const DeviceFlash& work, const OneHead& one) {
    return {work.key_heads, one.key_row, one.key_head(work)};
  }
  __device__ HeadRows(int64_t heads, int64_t first_row, int64_t head)
      : stride(heads * D), offset(first_row * stride + head * D) {}

  __device__ const __nv_bfloat16* of(const void* rows) const {
    return static_cast<const __nv_bfloat16*>(rows) + offset;
  }
  // The thread's share of row `row`, from the upper (0) or lower (1) half of its products.
  __device__ void store(const Product (&sums)[D / 8], int half, float factor, int64_t row, const Lane& lane,
                        void* rows) const {
    auto* into = static_cast<__nv_bfloat16*>(rows) + offset + row * stride + lane.column;
#pragma unroll
    for (int n = 0; n < D / 8; ++n)
      *reinterpret_cast<uint32_t*>(into + n * 8) = packed(sums[n][2 * half] * factor, sums[n][2 * half + 1] * factor);
  }
};

// Of one number a query and head, [heads, M].
__device__ inline float* of_head(const DeviceFlash& work, const OneHead& one, float* numbers) {
  return numbers + one.head * work.num_queries + one.query_row;
}

// Over the four threads that share a row.
__device__ inline float sum_of_row(float value) {
  value += __shfl_xor_sync(0xFFFFFFFFu, value, 1);
  return value + __shfl_xor_sync(0xFFFFFFFFu, value, 2);
}

// Calls `body` with the width of a head as a constant.
template <class Body>
void with_width(int64_t width, Body&& body) {
  if (width == 32) return body(std::integral_constant<int, 32>{});
  width == 64 ? body(std::integral_constant<int, 64>{}) : body(std::integral_constant<int, 128>{});
}

// Draws what stays for the passes behind it. DeviceError for sequences that no grid takes.
void draw_for(const DeviceFlash& work, const Launch& launch);

// Sequences, tiles of the most rows of any of them, heads.
inline dim3 grid_of(const DeviceFlash& work, int64_t most_rows, int64_t heads) {
  return dim3(static_cast<unsigned>(work.num_sequences), static_cast<unsigned>((most_rows + kTile - 1) / kTile),
              static_cast<unsigned>(heads));
}

}  // namespace sft::cuda
