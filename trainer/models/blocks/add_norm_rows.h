// The two places that add_norm is computed in. Tensors as add_norm names them; all contiguous.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

struct AddNormTensors {
  Dropout dropout;
  at::Tensor draws, positions;   // [N]
  at::Tensor gamma, beta, bias;  // [C]; undefined where not needed
  at::Tensor sum, mean, rstd;    // [N, C], [N], [N]: what the way back needs
};

// y [N, C], and fills sum, mean and rstd.
void add_norm_on_host(const AddNormTensors& norm, const at::Tensor& x, const at::Tensor& residual, double eps,
                      const at::Tensor& y);
void add_norm_on_device(const AddNormTensors& norm, const at::Tensor& x, const at::Tensor& residual, double eps,
                        const at::Tensor& y);

struct AddNormGradients {
  at::Tensor dx, d_residual;           // [N, C], filled; one tensor where nothing drops
  at::Tensor d_gamma, d_beta, d_bias;  // [C], added to; undefined where not wanted
};
void add_norm_backward_on_host(const AddNormTensors& norm, const at::Tensor& dy, const AddNormGradients& into);
void add_norm_backward_on_device(const AddNormTensors& norm, const at::Tensor& dy, const AddNormGradients& into);

}  // namespace sft
