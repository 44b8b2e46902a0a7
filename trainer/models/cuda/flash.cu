// Attention of packed rows without the probabilities in memory: Dao et al., FlashAttention-2 (2023), algorithm 1, over
// sequences of any lengths and with the masks of keep_bits.h. A block has 64 queries of a head.
#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/cuda/flash.cuh"
#include "trainer/models/cuda/philox.cuh"

namespace sft::cuda {
namespace {

// Draws the bits of KeptBits: blocks of x have a sequence, of y parts of it, of z a head. 16 threads have the bits of
// four words.
__global__ void draw_kept(DeviceFlash work) {
  const OneHead one(work, blockIdx.x, blockIdx.z);
  const int64_t num_words = (int64_t{one.num_places(work)} * one.num_keys + 31) / 32;
  uint32_t* const words = one.words(work);
  const int64_t num_blocks = (num_words + 3) / 4 * kBlocksAGroup, step = gridDim.y * blockDim.x;
  for (int64_t first = blockIdx.y * blockDim.x; first < num_blocks; first += step) {  // whole warps stay together
    const int64_t block = first + threadIdx.x;
    const PhiloxWords drawn(work.key, static_cast<uint32_t>(block), one.head, work.draws[one.sequence]);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      uint32_t bits = drawn.keeps(2 * j, work.rate.threshold) | drawn.keeps(2 * j + 1, work.rate.threshold) << 1;
      bits <<= block % kBlocksAGroup * 2;
      for (int lanes = 8; lanes > 0; lanes /= 2) bits |= __shfl_xor_sync(0xFFFFFFFFu, bits, lanes);
      const int64_t word = block / kBlocksAGroup * 4 + j;
      if (block % kBlocksAGroup == 0 && word < num_words) words[word] = bits;
    }
  }
}

// The largest value of a row, over the four threads that share it.
__device__ float most_of_row(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, 2));
}

template <int D>
__global__ void __launch_bounds__(kTileThreads) flash(DeviceFlash work) {
  __shared__ Tile<D> keys, values;
  const OneHead one(work, blockIdx.x, blockIdx.z);
  const int first = static_cast<int>(blockIdx.y) * kTile;
  if (first >= one.num_queries) return;
  const Lane lane;
  const auto rows = HeadRows<D>::queries(work, one), key_rows = HeadRows<D>::keys(work, one);
  const KeptBits kept(work, one);
  const float scale = log2_scale<D>();

  Left queries[D / 16];
  load(rows.of(work.q), rows.stride, first, one.num_queries, keys);
  __syncthreads();
  take(keys, lane, queries);

  Product out[D / 8] = {};
  float most[2] = {-INFINITY, -INFINITY}, total[2] = {};
  const int places[2] = {one.place(work, first + lane.row), one.place(work, first + lane.row + 8)};
  const SeenKeys seen_by_tile = one.seen_by_tile(work, first, kTile);
  for (int key = seen_by_tile.begin / kTile * kTile; key < seen_by_tile.end; key += kTile) {
    __syncthreads();  // the tiles before have been read
    load(key_rows.of(work.k), key_rows.stride, key, one.num_keys, keys);
    load(key_rows.of(work.v), key_rows.stride, key, one.num_keys, values);
    __syncthreads();
    Product scores[kTile / 8] = {};
    multiply_transposed<D>(queries, keys, 0, scores);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const SeenKeys seen(work.mask, places[half], one.num_keys);
      float now = most[half];
#pragma unroll
      for (int n = 0; n < kTile / 8; ++n)
#pragma unroll
        for (int i = 2 * half; i < 2 * half + 2; ++i) {
          if (!seen.has(key + n * 8 + lane.column + i % 2)) scores[n][i] = -INFINITY;
          now = fmaxf(now, scores[n][i]);
        }
      now = most_of_row(now);
      const float base = now == -INFINITY ? 0.0F : now;  // a row that has seen no key yet
      const float shrinks = exp2f((most[half] - base) * scale);
      most[half] = now;
      total[half] *= shrinks;
#pragma unroll
      for (int n = 0; n < D / 8; ++n) out[n][2 * half] *= shrinks, out[n][2 * half + 1] *= shrinks;
#pragma unroll
      for (int part = 0; part < 2; ++part) {
        const uint32_t bits = kept.of(places[half], key + part * 32) >> lane.column;
#pragma unroll
        for (int n = 4 * part; n < 4 * part + 4; ++n)
#pragma unroll
          for (int i = 2 * half; i < 2 * half + 2; ++i) {
            const float power = exp2f((scores[n][i] - base) * scale);
            total[half] += power;
            scores[n][i] = power * kept.factor(bits, n % 4 * 8 + i % 2);
          }
      }
    }
    Left probabilities[kTile / 16];
#pragma unroll
    for (int k = 0; k < kTile / 16; ++k) probabilities[k] = narrowed(scores[2 * k], scores[2 * k + 1]);
    multiply<D>(probabilities, values, 0, out);
  }

#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int query = first + lane.row + 8 * half;
    const float sum = sum_of_row(total[half]), factor = sum > 0 ? 1.0F / sum : 0.0F;
    if (query >= one.num_queries) continue;
    if (lane.column == 0) of_head(work, one, work.log_sum)[query] = most[half] * scale + log2f(sum);
    rows.store(out, half, factor, query, lane, work.out);
  }
}

}  // namespace

void draw_for(const DeviceFlash& work, const Launch& launch) {
  const int64_t most = std::max(work.longest, work.most_queries);
  if (most > kTile * int64_t{65535})
    throw DeviceError(concat("a sequence of ", most, " tokens is longer than attention takes on a GPU"));
  if (work.rate.drops() && most > 0)
    run(launch, draw_kept, {grid_of(work, most, work.heads), kTileThreads}, work);
}

void flash(const DeviceFlash& work) {
  if (work.num_sequences == 0 || work.most_queries == 0) return;
  const Launch launch(work.device);
  draw_for(work, launch);
  const dim3 grid = grid_of(work, work.most_queries, work.heads);
  with_width(work.head_width, [&](auto width) { run(launch, flash<width.value>, {grid, kTileThreads}, work); });
  launch.check("flash");
}

}  // namespace sft::cuda
