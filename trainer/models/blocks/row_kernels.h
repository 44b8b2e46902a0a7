// CPU kernels over rows of channels. N rows, C channels; `begin … end` is the caller's share of the rows. Float and
// double; torch-free.
#pragma once

#include <cstdint>

#include "trainer/models/blocks/drop_rate.h"

namespace sft {

// y = x · mask · scale
template <class T>
struct DropRows {
  RowDropout dropout;
  int64_t width = 0;
  const T* x = nullptr;
  T* y = nullptr;
};
void drop_rows(const DropRows<float>& rows, int64_t begin, int64_t end);
void drop_rows(const DropRows<double>& rows, int64_t begin, int64_t end);

// sum = (x + bias) · mask · scale + residual;  y = (sum − mean) · rstd · gamma + beta
template <class T>
struct AddNormRows {
  RowDropout dropout;
  int64_t width = 0;
  double eps = 0;
  const T *x = nullptr, *bias = nullptr, *residual = nullptr, *gamma = nullptr, *beta = nullptr;
  T *sum = nullptr, *mean = nullptr, *rstd = nullptr, *y = nullptr;
};
void add_norm_rows(const AddNormRows<float>& rows, int64_t begin, int64_t end);
void add_norm_rows(const AddNormRows<double>& rows, int64_t begin, int64_t end);

// The way back: d_residual is the gradient of `sum`, dx what the mask lets through (not written where nothing
// drops: then it is d_residual). d_gamma, d_beta and d_bias of these rows alone are added to the three [C] buffers.
template <class T>
struct AddNormBackwardRows {
  RowDropout dropout;
  int64_t width = 0;
  const T *dy = nullptr, *sum = nullptr, *mean = nullptr, *rstd = nullptr, *gamma = nullptr;
  T *dx = nullptr, *d_residual = nullptr;
};
template <class T>
struct NormGradients {
  T *gamma = nullptr, *beta = nullptr, *bias = nullptr;  // [C]
};
void add_norm_backward_rows(const AddNormBackwardRows<float>& rows, NormGradients<float> gradients, int64_t begin,
                            int64_t end);
void add_norm_backward_rows(const AddNormBackwardRows<double>& rows, NormGradients<double> gradients, int64_t begin,
                            int64_t end);

// table[ids[r], c] += rows[r, c] for all N rows whose id is not `left_out`, and the channels begin … end.
template <class T>
struct ScatterRows {
  const T* rows = nullptr;       // [N, C]
  const int64_t* ids = nullptr;  // [N]
  int64_t num_rows = 0, width = 0, left_out = -1;
  T* table = nullptr;
};
void scatter_add_rows(const ScatterRows<float>& work, int64_t begin, int64_t end);
void scatter_add_rows(const ScatterRows<double>& work, int64_t begin, int64_t end);

}  // namespace sft
