// The gradients of attention (FlashAttention-2, algorithm 2) in two passes that add nothing in an order left to
// chance: one by queries, one by keys. With P' = P · mask · scale, dS = P (dP' · mask · scale − Σ out · d_out).
#include "trainer/models/cuda/flash.cuh"

namespace sft::cuda {
namespace {

constexpr int kStep = 32;  // columns of scores at a time

// dq, and Σ out · d_out of each query for the other pass. A block has 64 queries of a head.
template <int D>
__global__ void __launch_bounds__(kTileThreads) by_queries(DeviceFlashBackward back) {
  __shared__ Tile<D> keys, values;
  const DeviceFlash& work = back.of;
  const OneHead one(work, blockIdx.x, blockIdx.z);
  const int64_t first = blockIdx.y * kTile;
  if (first >= one.count) return;
  const Lane lane;
  const HeadRows<D> rows(work, one);
  const KeptBits kept(work, one);
  const float scale = log2_scale<D>();

  Left queries[D / 16], d_out[D / 16], out[D / 16];
  load(rows.of(back.d_out), rows.stride, first, one.count, keys);
  load(rows.of(work.out), rows.stride, first, one.count, values);
  __syncthreads();
  take(keys, lane, d_out);
  take(values, lane, out);
  __syncthreads();
  load(rows.of(work.q), rows.stride, first, one.count, keys);
  __syncthreads();
  take(keys, lane, queries);

  float delta[2] = {}, log_sum[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
#pragma unroll
    for (int k = 0; k < D / 16; ++k)
#pragma unroll
      for (int i = half; i < 4; i += 2) {
        const float2 a = unpacked(out[k].of[i]), b = unpacked(d_out[k].of[i]);
        delta[half] += a.x * b.x + a.y * b.y;
      }
    delta[half] = sum_of_row(delta[half]);
    const int64_t query = first + lane.row + 8 * half;
    log_sum[half] = rows.of_head(work.log_sum)[min(query, one.count - 1)];
    if (lane.column == 0 && query < one.count) rows.of_head(back.delta)[query] = delta[half];
  }

  Product dq[D / 8] = {};
  for (int64_t key = 0; key < one.count; key += kTile) {
    __syncthreads();
    load(rows.of(work.k), rows.stride, key, one.count, keys);
    load(rows.of(work.v), rows.stride, key, one.count, values);
    __syncthreads();
#pragma unroll
    for (int begin = 0; begin < kTile; begin += kStep) {
      Product scores[kStep / 8] = {}, d_kept[kStep / 8] = {};
      multiply_transposed<D>(queries, keys, begin, scores);
      multiply_transposed<D>(d_out, values, begin, d_kept);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const uint32_t bits = kept.of(first + lane.row + 8 * half, key + begin) >> lane.column;
#pragma unroll
        for (int n = 0; n < kStep / 8; ++n)
#pragma unroll
          for (int i = 2 * half; i < 2 * half + 2; ++i) {
            const bool real = key + begin + n * 8 + lane.column + i % 2 < one.count;
            const float probability = real ? exp2f(scores[n][i] * scale - log_sum[half]) : 0.0F;
            scores[n][i] = probability * (d_kept[n][i] * kept.factor(bits, n * 8 + i % 2) - delta[half]);
          }
      }
      Left d_scores[kStep / 16];
#pragma unroll
      for (int k = 0; k < kStep / 16; ++k) d_scores[k] = narrowed(scores[2 * k], scores[2 * k + 1]);
      multiply<D>(d_scores, keys, begin, dq);
    }
  }
#pragma unroll
  for (int half = 0; half < 2; ++half)
    if (const int64_t query = first + lane.row + 8 * half; query < one.count)
      rows.store(dq, half, rsqrtf(static_cast<float>(D)), query, lane, back.dq);
}

// dk and dv. A block has 64 keys of a head, and products are of keys by queries.
template <int D>
__global__ void __launch_bounds__(kTileThreads) by_keys(DeviceFlashBackward back) {
  __shared__ Tile<D> queries, d_out;
  __shared__ float log_sums[kTile], deltas[kTile];
  const DeviceFlash& work = back.of;
  const OneHead one(work, blockIdx.x, blockIdx.z);
  const int64_t first = blockIdx.y * kTile;
  if (first >= one.count) return;
  const Lane lane;
  const HeadRows<D> rows(work, one);
  const KeptBits kept(work, one);
  const float scale = log2_scale<D>();

  Left keys[D / 16], values[D / 16];
  load(rows.of(work.k), rows.stride, first, one.count, queries);
  load(rows.of(work.v), rows.stride, first, one.count, d_out);
  __syncthreads();
  take(queries, lane, keys);
  take(d_out, lane, values);

  Product dk[D / 8] = {}, dv[D / 8] = {};
  for (int64_t query = 0; query < one.count; query += kTile) {
    __syncthreads();
    load(rows.of(work.q), rows.stride, query, one.count, queries);
    load(rows.of(back.d_out), rows.stride, query, one.count, d_out);
    if (threadIdx.x < kTile) {
      const int64_t row = min(query + threadIdx.x, one.count - 1);
      log_sums[threadIdx.x] = rows.of_head(work.log_sum)[row];
      deltas[threadIdx.x] = rows.of_head(back.delta)[row];
    }
    __syncthreads();
#pragma unroll
    for (int begin = 0; begin < kTile; begin += kStep) {
      Product scores[kStep / 8] = {}, d_scores[kStep / 8] = {};
      multiply_transposed<D>(keys, queries, begin, scores);
      multiply_transposed<D>(values, d_out, begin, d_scores);
#pragma unroll
      for (int n = 0; n < kStep / 8; ++n)
#pragma unroll
        for (int side = 0; side < 2; ++side) {
          const int column = begin + n * 8 + lane.column + side;
          const bool real = query + column < one.count;
          const uint32_t bits = kept.of(query + column, first + lane.first_row) >> (lane.row - lane.first_row);
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            float &score = scores[n][2 * half + side], &d_score = d_scores[n][2 * half + side];
            const float probability = real ? exp2f(score * scale - log_sums[column]) : 0.0F;
            const float factor = kept.factor(bits, 8 * half);
            score = probability * factor;
            d_score = probability * (d_score * factor - deltas[column]);
          }
        }
      Left left[kStep / 16];
#pragma unroll
      for (int k = 0; k < kStep / 16; ++k) left[k] = narrowed(scores[2 * k], scores[2 * k + 1]);
      multiply<D>(left, d_out, begin, dv);
#pragma unroll
      for (int k = 0; k < kStep / 16; ++k) left[k] = narrowed(d_scores[2 * k], d_scores[2 * k + 1]);
      multiply<D>(left, queries, begin, dk);
    }
  }
#pragma unroll
  for (int half = 0; half < 2; ++half)
    if (const int64_t key = first + lane.row + 8 * half; key < one.count) {
      rows.store(dk, half, rsqrtf(static_cast<float>(D)), key, lane, back.dk);
      rows.store(dv, half, 1.0F, key, lane, back.dv);
    }
}

}  // namespace

void flash_backward(const DeviceFlashBackward& back) {
  if (back.of.num_sequences == 0 || back.of.longest == 0) return;
  const Launch launch(back.of.device);
  const dim3 grid = draw_for(back.of, launch);
  with_width(back.of.head_width, [&](auto width) {
    by_queries<width.value><<<grid, kTileThreads, 0, launch.stream()>>>(back);
    by_keys<width.value><<<grid, kTileThreads, 0, launch.stream()>>>(back);
  });
  launch.check("flash_backward");
}

}  // namespace sft::cuda
