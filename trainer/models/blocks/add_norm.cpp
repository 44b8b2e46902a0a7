#include "trainer/models/blocks/add_norm.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/add_norm_rows.h"
#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/row_dropout.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct AddNorm : torch::autograd::Function<AddNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x_any, const at::Tensor& bias,
                            const at::Tensor& residual_any, const at::Tensor& gamma, const at::Tensor& beta, double eps,
                            const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions) {
    const at::Tensor x = x_any.contiguous(), residual = residual_any.contiguous(), y = at::empty_like(x);
    const at::TensorOptions of_rows = gamma.options().requires_grad(false);
    const AddNormTensors norm{.dropout = dropout,
                              .draws = draws,
                              .positions = positions,
                              .gamma = gamma,
                              .beta = beta,
                              .bias = bias,
                              .sum = at::empty_like(x),
                              .mean = at::empty({x.size(0)}, of_rows),
                              .rstd = at::empty({x.size(0)}, of_rows)};
    x.is_cpu() ? add_norm_on_host(norm, x, residual, eps, y) : add_norm_on_device(norm, x, residual, eps, y);
    save_dropout(ctx, dropout);
    ctx->save_for_backward({norm.sum, norm.mean, norm.rstd, gamma, beta, bias, draws, positions});
    return y;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const AddNormTensors norm{.dropout = saved_dropout(ctx),
                              .draws = saved[6],
                              .positions = saved[7],
                              .gamma = saved[3],
                              .beta = saved[4],
                              .bias = saved[5],
                              .sum = saved[0],
                              .mean = saved[1],
                              .rstd = saved[2]};
    const at::Tensor dy = d_outputs[0].contiguous(), d_residual = at::empty_like(norm.sum);
    const at::Tensor dx = DropRate(norm.dropout.p).drops() ? at::empty_like(norm.sum) : d_residual;
    const GradientSum d_bias(norm.bias, ctx->needs_input_grad(1)), d_gamma(norm.gamma, ctx->needs_input_grad(3)),
        d_beta(norm.beta, ctx->needs_input_grad(4));
    const AddNormGradients into{dx, d_residual, d_gamma.sum(), d_beta.sum(), d_bias.sum()};
    dy.is_cpu() ? add_norm_backward_on_host(norm, dy, into) : add_norm_backward_on_device(norm, dy, into);
    return {dx, d_bias.for_autograd(), d_residual, d_gamma.for_autograd(), d_beta.for_autograd(), {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor add_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual, const LayerNorm& norm,
                    const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions) {
  return AddNorm::apply(x, bias, residual, norm.weight, norm.bias, norm.eps, dropout, draws, positions);
}

}  // namespace sft
