// What a device computes in kernels of its own instead of by ATen's operators: the counterparts of row_kernels.h,
// gelu_kernels.h, decoder_kernels.h and attention_kernels.h. They live in the CUDA plugin (trainer/models/cuda), which
// hands over this table when it is opened; no tensors, only device memory and sizes, so that neither side needs the
// other's headers.
//
// Activations are of a Real; parameters, sums and statistics of its wide type: double for f64, else float. Each call
// is queued on the current stream of `device`. Rows begin at multiples of 16 bytes, or of all that a row takes where
// that is less: those of contiguous tensors that are no slices across rows do.
#pragma once

#include <cstdint>

#include "trainer/models/blocks/drop_rate.h"

namespace sft {

enum class Real : uint8_t { f32, f64, bf16 };

// N rows of C channels on a device.
struct DeviceRows {
  int device = 0;
  Real type = Real::f32;
  int64_t num_rows = 0, width = 0;
};

// y = x · mask · scale
struct DeviceDropRows {
  DeviceRows rows;
  RowDropout dropout;
  const void* x = nullptr;
  void* y = nullptr;
};

// sum = (x + bias) · mask · scale + residual;  y = (sum − mean) · rstd · gamma + beta
struct DeviceAddNorm {
  DeviceRows rows;
  RowDropout dropout;
  double eps = 0;
  const void *x = nullptr, *residual = nullptr;
  const void *bias = nullptr, *gamma = nullptr, *beta = nullptr;  // wide [C]
  void *sum = nullptr, *y = nullptr;
  void *mean = nullptr, *rstd = nullptr;  // wide [N]
};

// The way back. Gradients of vectors are summed by kPartialSums parts of the rows, and the sums added to d_vectors.
inline constexpr int64_t kPartialSums = 792;
struct DeviceAddNormBackward {
  DeviceRows rows;
  RowDropout dropout;
  const void *dy = nullptr, *sum = nullptr;
  const void *gamma = nullptr, *mean = nullptr, *rstd = nullptr;
  void *d_residual = nullptr, *dx = nullptr;  // dx may be null where nothing drops: it would be d_residual
  void* partial = nullptr;                    // wide [kPartialSums, 3, C], to work in
  void* d_vectors[3] = {};                    // of gamma, beta and bias, wide [C]; null: not wanted
};

// y = gelu(x + bias); with dy: y = dy · gelu'(x + bias)
struct DeviceBiasGelu {
  DeviceRows rows;
  const void *x = nullptr, *dy = nullptr;
  const void* bias = nullptr;  // wide [C]
  void* y = nullptr;
};

// sum = x + residual (not written where there is no residual: then it is x);  y = sum · rstd · gamma,
// rstd = 1 / √(mean(sum²) + eps)
struct DeviceRmsNorm {
  DeviceRows rows;
  double eps = 0;
  const void *x = nullptr, *residual = nullptr;
  const void* gamma = nullptr;  // wide [C]
  void *sum = nullptr, *y = nullptr;
  void* rstd = nullptr;  // wide [N]
};

// The way back: dx is the gradient of `sum`, to which d_sum, what came for it from elsewhere, is added. The gradient of
// gamma is summed as those of DeviceAddNormBackward are.
struct DeviceRmsNormBackward {
  DeviceRows rows;
  const void *dy = nullptr, *d_sum = nullptr;  // d_sum may be null
  const void *sum = nullptr, *gamma = nullptr, *rstd = nullptr;
  void* dx = nullptr;
  void* partial = nullptr;  // wide [kPartialSums, C], to work in
  void* d_gamma = nullptr;  // wide [C], added to; null: not wanted
};

// Of each head's width D, channels c and c + D/2 turn by the angle number c of the row's position; `back` turns the
// other way.
struct DeviceRotate {
  DeviceRows rows;   // of heads · D channels
  int64_t half = 0;  // D/2
  bool back = false;
  const int64_t* positions = nullptr;               // [N]
  const void *cosines = nullptr, *sines = nullptr;  // wide [P, D/2]
  const void* x = nullptr;
  void* y = nullptr;
};

// y = activation(gate) · up; with dy the way back: d_gate, d_up.
enum class Gating : uint8_t { silu, gelu, gelu_tanh };
struct DeviceGated {
  DeviceRows rows;
  Gating gating = Gating::silu;
  const void *gate = nullptr, *up = nullptr, *dy = nullptr;
  void *y = nullptr, *d_gate = nullptr, *d_up = nullptr;
};

// Sequences of one batch that are computed together, each padded to `length` rows.
struct DeviceSequences {
  int device = 0;
  Real type = Real::f32;
  int64_t count = 0, length = 0;     // sequences, and rows of each
  const int32_t* order = nullptr;    // [count] which sequences of the batch
  const int32_t* offsets = nullptr;  // [B+1] of the whole batch
  int64_t heads = 0, head_width = 0;
};

// Packed rows [N, heads · head_width] to [count · heads, length, head_width] with zeros behind each sequence, or the
// way back, which writes real rows only.
struct DevicePadding {
  static constexpr int kMost = 3;
  DeviceSequences of;
  int num_tensors = 0;
  void* packed[kMost] = {};
  void* padded[kMost] = {};
};

// Which keys a query sees, by its place among its sequence's keys (AttentionShape, attention_kernels.h).
struct DeviceMask {
  const int64_t* places = nullptr;  // [M], less than the sequence's number of keys; null: 0, 1, 2, …
  bool causal = false;
  int64_t window = 0;
};

// Attention's probabilities over the keys of each query, [count · heads, queries, length], zero for keys that it does
// not see. `of` is of the keys, with the heads of queries.
struct DeviceSoftmax {
  DeviceSequences of;
  int64_t queries = 0;                     // the most of a sequence, padding included
  const int32_t* query_offsets = nullptr;  // [B+1]
  DeviceMask mask;
  DropoutKey key;
  DropRate rate{0.0};
  const int64_t* draws = nullptr;  // [B]
  const void* scores = nullptr;    // wide, not yet divided by √head_width
  void *probability = nullptr, *dropped = nullptr;
};

// d_scores = probability · (dP − Σ dP · probability) / √head_width, where dP = d_dropped · mask · scale
struct DeviceSoftmaxBackward {
  DeviceSequences of;
  int64_t queries = 0;
  const int32_t* query_offsets = nullptr;
  DeviceMask mask;
  DropoutKey key;
  DropRate rate{0.0};
  const int64_t* draws = nullptr;
  const void *probability = nullptr, *d_dropped = nullptr;  // d_dropped is wide
  void *dropped = nullptr, *d_scores = nullptr;
};

// out = (softmax(q kᵀ / √head_width) · mask · scale) v over packed rows, q and out [M, heads · head_width], k and v
// [N, key_heads · head_width], in bf16, head_width 32, 64 or 128. Probabilities are kept nowhere.
struct DeviceFlash {
  static bool takes(Real type, int64_t head_width) {
    return type == Real::bf16 && (head_width == 32 || head_width == 64 || head_width == 128);
  }
  int device = 0;
  int64_t num_sequences = 0, longest = 0, most_queries = 0;  // the most keys and queries of a sequence
  int64_t num_queries = 0;                                   // of all sequences: M
  int64_t num_places = 0;  // that queries may have, over all sequences: N where the mask has places, else M
  int64_t heads = 0, key_heads = 0, head_width = 0;
  const int32_t *queries = nullptr, *keys = nullptr;  // [B+1]
  DeviceMask mask;
  DropoutKey key;
  DropRate rate{0.0};
  const int64_t* draws = nullptr;  // [B]
  const void *q = nullptr, *k = nullptr, *v = nullptr;
  void* out = nullptr;
  float* log_sum = nullptr;  // [heads, M] logarithm to base 2 of each query's sum of powers, for the way back
  uint32_t* kept = nullptr;  // [num_kept()] to work in; may be null where nothing drops

  // Some more than are drawn: words are read with the one behind them, and for keys beyond a sequence.
  int64_t num_kept() const { return rate.drops() ? heads * num_places * ((longest + 31) / 32) + kWordsBehind : 0; }
  static constexpr int64_t kWordsBehind = 4;
};

struct DeviceFlashBackward {
  DeviceFlash of;
  const void* d_out = nullptr;
  float* delta = nullptr;  // [heads, M] to work in
  void *dq = nullptr, *dk = nullptr, *dv = nullptr;
};

// First of all a number that changes with the structs above: a plugin of another build is refused by it.
struct DeviceKernels {
  static constexpr uint64_t kLayout = 3'000'000 + sizeof(DeviceDropRows) + sizeof(DeviceAddNorm) +
                                      sizeof(DeviceAddNormBackward) + sizeof(DeviceBiasGelu) + sizeof(DevicePadding) +
                                      sizeof(DeviceSoftmax) + sizeof(DeviceSoftmaxBackward) + sizeof(DeviceFlash) +
                                      sizeof(DeviceFlashBackward) + sizeof(DeviceRmsNorm) +
                                      sizeof(DeviceRmsNormBackward) + sizeof(DeviceRotate) + sizeof(DeviceGated);
  uint64_t layout = kLayout;
  void (*drop_rows)(const DeviceDropRows&) = nullptr;
  void (*add_norm)(const DeviceAddNorm&) = nullptr;
  void (*add_norm_backward)(const DeviceAddNormBackward&) = nullptr;
  void (*bias_gelu)(const DeviceBiasGelu&) = nullptr;
  void (*pad)(const DevicePadding&) = nullptr;
  void (*unpad)(const DevicePadding&) = nullptr;
  void (*softmax)(const DeviceSoftmax&) = nullptr;
  void (*softmax_backward)(const DeviceSoftmaxBackward&) = nullptr;
  void (*flash)(const DeviceFlash&) = nullptr;
  void (*flash_backward)(const DeviceFlashBackward&) = nullptr;
  void (*rms_norm)(const DeviceRmsNorm&) = nullptr;
  void (*rms_norm_backward)(const DeviceRmsNormBackward&) = nullptr;
  void (*rotate)(const DeviceRotate&) = nullptr;
  void (*gated)(const DeviceGated&) = nullptr;
};

// Set once, before the first model is made for a device; asked for where a tensor lies on one.
void set_device_kernels(const DeviceKernels& kernels);
const DeviceKernels& device_kernels();

}  // namespace sft
