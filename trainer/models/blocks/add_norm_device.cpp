#include <ATen/ops/empty.h>

#include "trainer/models/blocks/add_norm_rows.h"
#include "trainer/models/blocks/on_device.h"
#include "trainer/models/blocks/row_dropout.h"

namespace sft {

void add_norm_on_device(const AddNormTensors& norm, const at::Tensor& x, const at::Tensor& residual, double eps,
                        const at::Tensor& y) {
  device_kernels().add_norm({.rows = device_rows(x),
                             .dropout = row_dropout(norm.dropout, norm.draws, norm.positions),
                             .eps = eps,
                             .x = x.const_data_ptr(),
                             .residual = residual.const_data_ptr(),
                             .bias = norm.bias.const_data_ptr(),
                             .gamma = norm.gamma.const_data_ptr(),
                             .beta = norm.beta.const_data_ptr(),
                             .sum = norm.sum.mutable_data_ptr(),
                             .y = y.mutable_data_ptr(),
                             .mean = norm.mean.mutable_data_ptr(),
                             .rstd = norm.rstd.mutable_data_ptr()});
}

void add_norm_backward_on_device(const AddNormTensors& norm, const at::Tensor& dy, const AddNormGradients& into) {
  const auto data = [](const at::Tensor& tensor) { return tensor.defined() ? tensor.mutable_data_ptr() : nullptr; };
  const at::Tensor partial = at::empty({kPartialSums, 3, dy.size(1)}, norm.mean.options());
  device_kernels().add_norm_backward({.rows = device_rows(dy),
                                      .dropout = row_dropout(norm.dropout, norm.draws, norm.positions),
                                      .dy = dy.const_data_ptr(),
                                      .sum = norm.sum.const_data_ptr(),
                                      .gamma = norm.gamma.const_data_ptr(),
                                      .mean = norm.mean.const_data_ptr(),
                                      .rstd = norm.rstd.const_data_ptr(),
                                      .d_residual = into.d_residual.mutable_data_ptr(),
                                      .dx = into.dx.is_same(into.d_residual) ? nullptr : data(into.dx),
                                      .partial = partial.mutable_data_ptr(),
                                      .d_vectors = {data(into.d_gamma), data(into.d_beta), data(into.d_bias)}});
}

}  // namespace sft
