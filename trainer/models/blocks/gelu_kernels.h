// GELU by the error function (Hendrycks and Gimpel, 2016) with the bias of the layer before it:
//   y = x' Φ(x')     dy/dx' = Φ(x') + x' φ(x')     x' = x + bias
// In float Φ is Abramowitz and Stegun 7.1.26 (error below 1.5e-7), which shares its exponential with φ; in double the
// library's erf. Torch-free.
#pragma once

#include <cstdint>

namespace sft {

template <class T>
struct GeluRows {
  int64_t width = 0;
  const T *x = nullptr, *bias = nullptr;  // [N, C], [C]
  T* y = nullptr;
};
void gelu_rows(const GeluRows<float>& rows, int64_t begin, int64_t end);
void gelu_rows(const GeluRows<double>& rows, int64_t begin, int64_t end);

template <class T>
struct GeluBackwardRows {
  int64_t width = 0;
  const T *x = nullptr, *bias = nullptr, *dy = nullptr;
  T* dx = nullptr;
};
// d_bias [C] += the sum of these rows' dx.
void gelu_backward_rows(const GeluBackwardRows<float>& rows, float* d_bias, int64_t begin, int64_t end);
void gelu_backward_rows(const GeluBackwardRows<double>& rows, double* d_bias, int64_t begin, int64_t end);

}  // namespace sft
