// Tiles of 64 rows of a head in shared memory, and the fragments of them that mma.sync.m16n8k16 multiplies (PTX ISA,
// "Matrix fragments for mma.m16n8k16"). Of four warps each has 16 rows of a product.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

#include "trainer/models/cuda/mma.cuh"

namespace sft::cuda {

constexpr int kTile = 64, kTileThreads = 128, kWarpRows = 16;

// Rows lie 8 elements further apart than they are wide, in other banks.
template <int D>
struct Tile {
  alignas(16) __nv_bfloat16 at[kTile][D + 8];
};

// Where a thread stands in its warp's fragments: it has rows `row` and `row` + 8, and columns `column`, `column` + 1.
struct Lane {
  int first_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;  // of the warp
  int row = first_row + static_cast<int>(threadIdx.x) % 32 / 4, column = static_cast<int>(threadIdx.x) % 4 * 2;

  __device__ Lane() {}
};

// Rows `first` … of those at `rows`, `stride` elements apart, with zeros from row `end` on.
template <int D>
__device__ void load(const void* rows, int64_t stride, int64_t first, int64_t end, Tile<D>& tile) {
  constexpr int kChunks = D / 8;
  for (int i = threadIdx.x; i < kTile * kChunks; i += kTileThreads) {
    const int row = i / kChunks, column = i % kChunks * 8;
    const auto* from = static_cast<const __nv_bfloat16*>(rows) + (first + row) * stride + column;
    *reinterpret_cast<uint4*>(&tile.at[row][column]) =
        first + row < end ? *reinterpret_cast<const uint4*>(from) : uint4{};
  }
}

__device__ inline uint32_t packed(float low, float high) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&both);
}
__device__ inline float2 unpacked(uint32_t both) {
  return __bfloat1622float2(*reinterpret_cast<const __nv_bfloat162*>(&both));
}
__device__ inline uint32_t pair_at(const __nv_bfloat16* from) { return *reinterpret_cast<const uint32_t*>(from); }

// 16 x 16 of the left factor.
struct Left {
  uint32_t of[4];
};
// The warp's 16 rows of a tile, D columns.
template <int D>
__device__ void take(const Tile<D>& tile, const Lane& lane, Left (&rows)[D / 16]) {
#pragma unroll
  for (int k = 0; k < D / 16; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      rows[k].of[i] = pair_at(&tile.at[lane.row + i % 2 * 8][k * 16 + lane.column + i / 2 * 8]);
}

// 16 x 8 of a product, in the order (row, column), (row, column + 1), (row + 8, column), (row + 8, column + 1).
using Product = float[4];

// Two products beside one another, as 16 x 16 of the left factor of the next.
__device__ inline Left narrowed(const Product& left, const Product& right) {
  return {{packed(left[0], left[1]), packed(left[2], left[3]), packed(right[0], right[1]), packed(right[2], right[3])}};
}

__device__ inline void multiply(const Left& a, uint32_t b0, uint32_t b1, Product& sum) {
  multiply_fragments(a.of, b0, b1, sum);
}

// sums[n] += rows · tileᵀ, of rows first + 8n … of the tile.
template <int D, int N>
__device__ void multiply_transposed(const Left (&rows)[D / 16], const Tile<D>& tile, int first, Product (&sums)[N]) {
  const int row = first + static_cast<int>(threadIdx.x) % 32 / 4, column = static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
  for (int n = 0; n < N; ++n)
#pragma unroll
    for (int k = 0; k < D / 16; ++k) {
      const __nv_bfloat16* const from = &tile.at[row + n * 8][k * 16 + column];
      multiply(rows[k], pair_at(from), pair_at(from + 8), sums[n]);
    }
}

// sums += a · tile, where columns of a are rows first … of the tile: K of 16.
template <int D, int K>
__device__ void multiply(const Left (&a)[K], const Tile<D>& tile, int first, Product (&sums)[D / 8]) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int k = 0; k < K; ++k)
#pragma unroll
    for (int n = 0; n < D / 8; n += 2) {
      // Lanes 0 … 31 name the rows of four 8 x 8 matrices: two below one another, twice beside.
      uint32_t b[4];
      load_transposed(&tile.at[first + k * 16 + lane % 16][n * 8 + lane / 16 * 8], b);
      multiply(a[k], b[0], b[1], sums[n]);
      multiply(a[k], b[2], b[3], sums[n + 1]);
    }
}

}  // namespace sft::cuda
