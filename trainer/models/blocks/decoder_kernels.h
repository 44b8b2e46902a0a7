// CPU kernels of pre-norm decoders, over rows of channels: `begin … end` is the caller's share of the N rows. Float and
// double; torch-free.
#pragma once

#include <cstdint>

namespace sft {

// sum = x + residual (not written where there is no residual: then it is x);  y = sum · rstd · gamma,
// rstd = 1 / √(mean(sum²) + eps)
template <class T>
struct RmsNormRows {
  int64_t width = 0;
  double eps = 0;
  const T *x = nullptr, *residual = nullptr, *gamma = nullptr;
  T *sum = nullptr, *rstd = nullptr, *y = nullptr;
};
void rms_norm_rows(const RmsNormRows<float>& rows, int64_t begin, int64_t end);
void rms_norm_rows(const RmsNormRows<double>& rows, int64_t begin, int64_t end);

// The way back: dx is the gradient of `sum`, to which d_sum, what came for it from elsewhere, is added (none: nullptr).
// d_gamma [C] += these rows'.
template <class T>
struct RmsNormBackwardRows {
  int64_t width = 0;
  const T *dy = nullptr, *d_sum = nullptr, *sum = nullptr, *rstd = nullptr, *gamma = nullptr;
  T* dx = nullptr;
};
void rms_norm_backward_rows(const RmsNormBackwardRows<float>& rows, float* d_gamma, int64_t begin, int64_t end);
void rms_norm_backward_rows(const RmsNormBackwardRows<double>& rows, double* d_gamma, int64_t begin, int64_t end);

// Of each head's width D, channels c and c + D/2 turn by the angle number c of the row's position; `back` turns the
// other way.
template <class T>
struct RotateRows {
  int64_t heads = 0, half = 0;  // D/2
  bool back = false;
  const int64_t* positions = nullptr;            // [N]
  const T *cosines = nullptr, *sines = nullptr;  // [P, D/2]
  const T* x = nullptr;                          // [N, heads · D]
  T* y = nullptr;
};
void rotate_rows(const RotateRows<float>& rows, int64_t begin, int64_t end);
void rotate_rows(const RotateRows<double>& rows, int64_t begin, int64_t end);

// y = silu(gate) · up, of the elements begin … end; and the way back.
template <class T>
struct SwishGate {
  const T *gate = nullptr, *up = nullptr;
  T* y = nullptr;
};
void swish_gate(const SwishGate<float>& work, int64_t begin, int64_t end);
void swish_gate(const SwishGate<double>& work, int64_t begin, int64_t end);

template <class T>
struct SwishGateBackward {
  const T *gate = nullptr, *up = nullptr, *dy = nullptr;
  T *d_gate = nullptr, *d_up = nullptr;
};
void swish_gate_backward(const SwishGateBackward<float>& work, int64_t begin, int64_t end);
void swish_gate_backward(const SwishGateBackward<double>& work, int64_t begin, int64_t end);

}  // namespace sft
