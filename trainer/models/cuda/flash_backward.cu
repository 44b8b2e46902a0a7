// The gradients of attention (FlashAttention-2, algorithm 2) in two passes that add nothing in an order left to
// chance: one by queries, one by keys. With P' = P · mask · scale, dS = P (dP' · mask · scale − Σ out · d_out).
#include "trainer/models/cuda/flash.cuh"

namespace sft::cuda {
namespace {

// Columns of scores at a time: 32, but 16 beside the sums of wide heads, which leave no registers for more, nor for
// steps that are unrolled.
constexpr int kStep = 32;
template <int D>
constexpr int kStepByKeys = D > 64 ? 16 : kStep;

// dq, and Σ out · d_out of each query for the other pass. A block has 64 queries of a head.
template <int D>
__global__ void __launch_bounds__(kTileThreads) by_queries(DeviceFlashBackward back) {
  __shared__ Tile<D> keys, values;
  const DeviceFlash& work = back.of;
  const OneHead one(work, blockIdx.x, blockIdx.z);
  const int first = static_cast<int>(blockIdx.y) * kTile;
  if (first >= one.num_queries) return;
  const Lane lane;
  const auto rows = HeadRows<D>::queries(work, one), key_rows = HeadRows<D>::keys(work, one);
  const KeptBits kept(work, one);
  const float scale = log2_scale<D>();

  Left queries[D / 16], d_out[D / 16], out[D / 16];
  load(rows.of(back.d_out), rows.stride, first, one.num_queries, keys);
  load(rows.of(work.out), rows.stride, first, one.num_queries, values);
  __syncthreads();
  take(keys, lane, d_out);
  take(values, lane, out);
  __syncthreads();
  load(rows.of(work.q), rows.stride, first, one.num_queries, keys);
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
    const int query = first + lane.row + 8 * half;
    log_sum[half] = of_head(work, one, work.log_sum)[min(query, one.num_queries - 1)];
    if (lane.column == 0 && query < one.num_queries) of_head(work, one, back.delta)[query] = delta[half];
  }

  Product dq[D / 8] = {};
  const int places[2] = {one.place(work, first + lane.row), one.place(work, first + lane.row + 8)};
  const SeenKeys seen_by_tile = one.seen_by_tile(work, first, kTile);
  for (int key = seen_by_tile.begin / kTile * kTile; key < seen_by_tile.end; key += kTile) {
    __syncthreads();
    load(key_rows.of(work.k), key_rows.stride, key, one.num_keys, keys);
    load(key_rows.of(work.v), key_rows.stride, key, one.num_keys, values);
    __syncthreads();
#pragma unroll
    for (int begin = 0; begin < kTile; begin += kStep) {
      Product scores[kStep / 8] = {}, d_kept[kStep / 8] = {};
      multiply_transposed<D>(queries, keys, begin, scores);
      multiply_transposed<D>(d_out, values, begin, d_kept);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const SeenKeys seen(work.mask, places[half], one.num_keys);
        const uint32_t bits = kept.of(places[half], key + begin) >> lane.column;
#pragma unroll
        for (int n = 0; n < kStep / 8; ++n)
#pragma unroll
          for (int i = 2 * half; i < 2 * half + 2; ++i) {
            const bool sees = seen.has(key + begin + n * 8 + lane.column + i % 2);
            const float probability = sees ? exp2f(scores[n][i] * scale - log_sum[half]) : 0.0F;
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
    if (const int query = first + lane.row + 8 * half; query < one.num_queries)
      rows.store(dq, half, rsqrtf(static_cast<float>(D)), query, lane, back.dq);
}

// dk and dv. A block has 64 keys of a head, and products are of keys by queries.
template <int D>
__global__ void __launch_bounds__(kTileThreads) by_keys(DeviceFlashBackward back) {
  __shared__ Tile<D> queries, d_out;
  __shared__ float log_sums[kTile], deltas[kTile];
  __shared__ int places[kTile], begins[kTile], ends[kTile];
  const DeviceFlash& work = back.of;
  const int64_t num_heads = work.heads / work.key_heads, first_head = blockIdx.z * num_heads;
  const OneHead any(work, blockIdx.x, first_head);
  const int first = static_cast<int>(blockIdx.y) * kTile;
  if (first >= any.num_keys) return;
  const Lane lane;
  const auto key_rows = HeadRows<D>::keys(work, any);
  const float scale = log2_scale<D>();
  constexpr int kColumns = kStepByKeys<D>;
  [[maybe_unused]] constexpr int kUnrolled = D > 64 ? 1 : kTile / kColumns;  // used by a pragma

  Left keys[D / 16], values[D / 16];
  load(key_rows.of(work.k), key_rows.stride, first, any.num_keys, queries);
  load(key_rows.of(work.v), key_rows.stride, first, any.num_keys, d_out);
  __syncthreads();
  take(queries, lane, keys);
  take(d_out, lane, values);

  Product dk[D / 8] = {}, dv[D / 8] = {};
  const int num_tiles = (any.num_queries + kTile - 1) / kTile;
  for (int i = 0; i < num_heads * num_tiles; ++i) {  // head after head that reads these keys
    const OneHead one(work, blockIdx.x, first_head + i / num_tiles);
    const int query = i % num_tiles * kTile;
    const SeenKeys seen_by_tile = one.seen_by_tile(work, query, kTile);
    if (seen_by_tile.end <= first || seen_by_tile.begin >= first + kTile) continue;
    const auto rows = HeadRows<D>::queries(work, one);
    const KeptBits kept(work, one);
    __syncthreads();
    load(rows.of(work.q), rows.stride, query, one.num_queries, queries);
    load(rows.of(back.d_out), rows.stride, query, one.num_queries, d_out);
    if (threadIdx.x < kTile) {
      const int row = query + static_cast<int>(threadIdx.x), real_row = min(row, one.num_queries - 1);
      const int place = one.place(work, row);
      const SeenKeys seen = row < one.num_queries ? SeenKeys(work.mask, place, one.num_keys) : SeenKeys(0, 0);
      log_sums[threadIdx.x] = of_head(work, one, work.log_sum)[real_row];
      deltas[threadIdx.x] = of_head(work, one, back.delta)[real_row];
      places[threadIdx.x] = place;
      begins[threadIdx.x] = seen.begin;
      ends[threadIdx.x] = seen.end;
    }
    __syncthreads();
#pragma unroll kUnrolled
    for (int begin = 0; begin < kTile; begin += kColumns) {
      Product scores[kColumns / 8] = {}, d_scores[kColumns / 8] = {};
      multiply_transposed<D>(keys, queries, begin, scores);
      multiply_transposed<D>(values, d_out, begin, d_scores);
#pragma unroll
      for (int n = 0; n < kColumns / 8; ++n)
#pragma unroll
        for (int side = 0; side < 2; ++side) {
          const int column = begin + n * 8 + lane.column + side;
          const SeenKeys seen(begins[column], ends[column]);
          const uint32_t bits = kept.of(places[column], first + lane.first_row) >> (lane.row - lane.first_row);
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            float &score = scores[n][2 * half + side], &d_score = d_scores[n][2 * half + side];
            const bool sees = seen.has(first + lane.row + 8 * half);
            const float probability = sees ? exp2f(score * scale - log_sums[column]) : 0.0F;
            const float factor = kept.factor(bits, 8 * half);
            score = probability * factor;
            d_score = probability * (d_score * factor - deltas[column]);
          }
        }
      Left left[kColumns / 16];
#pragma unroll
      for (int k = 0; k < kColumns / 16; ++k) left[k] = narrowed(scores[2 * k], scores[2 * k + 1]);
      multiply<D>(left, d_out, begin, dv);
#pragma unroll
      for (int k = 0; k < kColumns / 16; ++k) left[k] = narrowed(d_scores[2 * k], d_scores[2 * k + 1]);
      multiply<D>(left, queries, begin, dk);
    }
  }
#pragma unroll
  for (int half = 0; half < 2; ++half)
    if (const int key = first + lane.row + 8 * half; key < any.num_keys) {
      key_rows.store(dk, half, rsqrtf(static_cast<float>(D)), key, lane, back.dk);
      key_rows.store(dv, half, 1.0F, key, lane, back.dv);
    }
}

}  // namespace

void flash_backward(const DeviceFlashBackward& back) {
  const DeviceFlash& work = back.of;
  if (work.num_sequences == 0) return;
  const Launch launch(work.device);
  draw_for(work, launch);
  const dim3 queries = grid_of(work, work.most_queries, work.heads), keys = grid_of(work, work.longest, work.key_heads);
  with_width(work.head_width, [&](auto width) {
    if (work.most_queries > 0) run(launch, by_queries<width.value>, {queries, kTileThreads}, back);
    if (work.longest > 0) run(launch, by_keys<width.value>, {keys, kTileThreads}, back);
  });
  launch.check("flash_backward");
}

}  // namespace sft::cuda
