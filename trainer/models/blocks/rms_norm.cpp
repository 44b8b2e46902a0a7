#include "trainer/models/blocks/rms_norm.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "trainer/models/blocks/decoder_kernels.h"
#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/on_device.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Rows of one partial sum of the weight's gradient; partial sums are added in order, whatever the number of threads.
constexpr int64_t kNormRows = 64;

// One number a row: of x's type, on a device of the wide one.
at::Tensor number_a_row(const at::Tensor& x) {
  return at::empty({x.size(0)}, x.options().dtype(x.is_cpu() ? x.scalar_type() : wide_type(x.scalar_type())));
}

// Weights that do not train may be held narrow.
at::Tensor wide_weight(const at::Tensor& weight, const at::Tensor& rstd) {
  return weight.detach().to(rstd.scalar_type()).contiguous();
}

void* data_of(const at::Tensor& tensor) { return tensor.defined() ? tensor.mutable_data_ptr() : nullptr; }

// Of contiguous rows. `sum` is filled where there is a residual; else both are undefined.
at::Tensor normed_rows(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight, double eps,
                       const at::Tensor& sum, const at::Tensor& rstd) {
  const at::Tensor y = at::empty_like(x);
  if (!x.is_cpu()) {
    const at::Tensor gamma = wide_weight(weight, rstd);
    device_kernels().rms_norm({.rows = device_rows(x),
                               .eps = eps,
                               .x = x.const_data_ptr(),
                               .residual = data_of(residual),
                               .gamma = gamma.const_data_ptr(),
                               .sum = data_of(sum),
                               .y = y.mutable_data_ptr(),
                               .rstd = rstd.mutable_data_ptr()});
    return y;
  }
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "rms_norm", [&] {
    const bool adds = residual.defined();
    const RmsNormRows<scalar_t> rows{.width = x.size(1),
                                     .eps = eps,
                                     .x = x.const_data_ptr<scalar_t>(),
                                     .residual = adds ? residual.const_data_ptr<scalar_t>() : nullptr,
                                     .gamma = weight.const_data_ptr<scalar_t>(),
                                     .sum = adds ? sum.mutable_data_ptr<scalar_t>() : nullptr,
                                     .rstd = rstd.mutable_data_ptr<scalar_t>(),
                                     .y = y.mutable_data_ptr<scalar_t>()};
    at::parallel_for(0, x.size(0), kNormRows, [&](int64_t begin, int64_t end) { rms_norm_rows(rows, begin, end); });
  });
  return y;
}

// d_sum: what came for the sum itself; undefined: nothing.
at::Tensor normed_backward(const at::Tensor& dy_any, const at::Tensor& d_sum_any, const at::Tensor& sum,
                           const at::Tensor& rstd, const at::Tensor& weight, const GradientSum& d_weight) {
  const at::Tensor dy = dy_any.contiguous(), dx = at::empty_like(sum);
  const at::Tensor d_sum = d_sum_any.defined() ? d_sum_any.contiguous() : d_sum_any;
  if (!sum.is_cpu()) {
    const at::Tensor gamma = wide_weight(weight, rstd), into = d_weight.sum();
    const bool is_wide = !into.defined() || into.scalar_type() == rstd.scalar_type();
    const at::Tensor d_gamma = is_wide ? into : at::zeros_like(gamma);
    const at::Tensor partial = at::empty({kPartialSums, sum.size(1)}, rstd.options());
    device_kernels().rms_norm_backward({.rows = device_rows(sum),
                                        .dy = dy.const_data_ptr(),
                                        .d_sum = data_of(d_sum),
                                        .sum = sum.const_data_ptr(),
                                        .gamma = gamma.const_data_ptr(),
                                        .rstd = rstd.const_data_ptr(),
                                        .dx = dx.mutable_data_ptr(),
                                        .partial = partial.mutable_data_ptr(),
                                        .d_gamma = data_of(d_gamma)});
    if (!is_wide) into.add_(d_gamma);
    return dx;
  }
  const int64_t num_rows = sum.size(0), width = sum.size(1), chunks = (num_rows + kNormRows - 1) / kNormRows;
  const at::Tensor partial = at::zeros({chunks, width}, sum.options());
  AT_DISPATCH_FLOATING_TYPES(sum.scalar_type(), "rms_norm_backward", [&] {
    const RmsNormBackwardRows<scalar_t> rows{.width = width,
                                             .dy = dy.const_data_ptr<scalar_t>(),
                                             .d_sum = d_sum.defined() ? d_sum.const_data_ptr<scalar_t>() : nullptr,
                                             .sum = sum.const_data_ptr<scalar_t>(),
                                             .rstd = rstd.const_data_ptr<scalar_t>(),
                                             .gamma = weight.const_data_ptr<scalar_t>(),
                                             .dx = dx.mutable_data_ptr<scalar_t>()};
    at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        rms_norm_backward_rows(rows, partial.mutable_data_ptr<scalar_t>() + chunk * width, chunk * kNormRows,
                               std::min((chunk + 1) * kNormRows, num_rows));
      }
    });
  });
  if (d_weight.sum().defined()) d_weight.sum().add_(partial.sum(0));
  return dx;
}

struct RmsNormFunction : torch::autograd::Function<RmsNormFunction> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x_any, const at::Tensor& weight, double eps) {
    const at::Tensor x = x_any.contiguous(), rstd = number_a_row(x);
    ctx->save_for_backward({x, rstd, weight});
    return normed_rows(x, {}, weight, eps, {}, rstd);
  }
  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const GradientSum d_weight(saved[2], ctx->needs_input_grad(1));
    const at::Tensor dx = normed_backward(d_outputs[0], {}, saved[0], saved[1], saved[2], d_weight);
    return {dx, d_weight.for_autograd(), {}};
  }
};

struct AddRmsNormFunction : torch::autograd::Function<AddRmsNormFunction> {
  static tensor_list forward(AutogradContext* ctx, const at::Tensor& x_any, const at::Tensor& residual_any,
                             const at::Tensor& weight, double eps) {
    const at::Tensor x = x_any.contiguous(), residual = residual_any.contiguous();
    const at::Tensor sum = at::empty_like(x), rstd = number_a_row(x);
    const at::Tensor y = normed_rows(x, residual, weight, eps, sum, rstd);
    ctx->save_for_backward({sum, rstd, weight});
    ctx->set_materialize_grads(false);
    return {sum, y};
  }
  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    if (!d_outputs[1].defined()) return {d_outputs[0], d_outputs[0], {}, {}};  // nobody asked for the norm
    const GradientSum d_weight(saved[2], ctx->needs_input_grad(2));
    const at::Tensor dx = normed_backward(d_outputs[1], d_outputs[0], saved[0], saved[1], saved[2], d_weight);
    return {dx, dx, d_weight.for_autograd(), {}};
  }
};

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const RmsNorm& norm) {
  if (!c10::GradMode::is_enabled()) {
    const at::Tensor rows = x.contiguous();
    return normed_rows(rows, {}, norm.weight, norm.eps, {}, number_a_row(x));
  }
  return RmsNormFunction::apply(x, norm.weight, norm.eps);
}

NormedSum add_rms_norm(const at::Tensor& x, const at::Tensor& residual, const RmsNorm& norm) {
  if (!c10::GradMode::is_enabled()) {
    const at::Tensor rows = x.contiguous(), sum = at::empty_like(rows);
    return {sum, normed_rows(rows, residual.contiguous(), norm.weight, norm.eps, sum, number_a_row(x))};
  }
  const tensor_list both = AddRmsNormFunction::apply(x, residual, norm.weight, norm.eps);
  return {both[0], both[1]};
}

}  // namespace sft
