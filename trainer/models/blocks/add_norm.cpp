#include "trainer/models/blocks/add_norm.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/row_dropout.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// Gradients of [C] vectors are summed a chunk of rows at a time, then over chunks in order: the same bits on any
// number of threads.
constexpr int64_t kChunk = 64;

struct AddNorm : torch::autograd::Function<AddNorm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x_any, const at::Tensor& bias,
                            const at::Tensor& residual_any, const at::Tensor& gamma, const at::Tensor& beta, double eps,
                            const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions) {
    const at::Tensor x = x_any.contiguous(), residual = residual_any.contiguous();
    const at::Tensor sum = at::empty_like(x), y = at::empty_like(x);
    const at::Tensor mean = at::empty({x.size(0)}, x.options()), rstd = at::empty_like(mean);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "add_norm", [&] {
      AddNormRows<scalar_t> rows;
      rows.dropout = row_dropout(dropout, draws, positions);
      rows.width = x.size(1);
      rows.eps = eps;
      rows.x = x.const_data_ptr<scalar_t>();
      rows.bias = bias.const_data_ptr<scalar_t>();
      rows.residual = residual.const_data_ptr<scalar_t>();
      rows.gamma = gamma.const_data_ptr<scalar_t>();
      rows.beta = beta.const_data_ptr<scalar_t>();
      rows.sum = sum.data_ptr<scalar_t>();
      rows.mean = mean.data_ptr<scalar_t>();
      rows.rstd = rstd.data_ptr<scalar_t>();
      rows.y = y.data_ptr<scalar_t>();
      at::parallel_for(0, x.size(0), kChunk, [&](int64_t begin, int64_t end) { add_norm_rows(rows, begin, end); });
    });
    save_dropout(ctx, dropout);
    ctx->save_for_backward({sum, mean, rstd, gamma, beta, bias, draws, positions});
    return y;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &sum = saved[0], &mean = saved[1], &rstd = saved[2], &gamma = saved[3], &beta = saved[4];
    const at::Tensor &bias = saved[5], &draws = saved[6], &positions = saved[7];
    const Dropout dropout = saved_dropout(ctx);
    const at::Tensor dy = d_outputs[0].contiguous();
    const at::Tensor d_residual = at::empty_like(sum);
    const at::Tensor dx = DropRate(dropout.p).drops() ? at::empty_like(sum) : d_residual;
    const int64_t num_rows = sum.size(0), width = sum.size(1), chunks = (num_rows + kChunk - 1) / kChunk;
    const at::Tensor partial = at::zeros({chunks, 3, width}, sum.options());
    AT_DISPATCH_FLOATING_TYPES(sum.scalar_type(), "add_norm_backward", [&] {
      AddNormBackwardRows<scalar_t> rows;
      rows.dropout = row_dropout(dropout, draws, positions);
      rows.width = width;
      rows.dy = dy.const_data_ptr<scalar_t>();
      rows.sum = sum.const_data_ptr<scalar_t>();
      rows.mean = mean.const_data_ptr<scalar_t>();
      rows.rstd = rstd.const_data_ptr<scalar_t>();
      rows.gamma = gamma.const_data_ptr<scalar_t>();
      rows.dx = dx.data_ptr<scalar_t>();
      rows.d_residual = d_residual.data_ptr<scalar_t>();
      at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t chunk = begin; chunk < end; ++chunk) {
          scalar_t* sums = partial.data_ptr<scalar_t>() + chunk * 3 * width;
          add_norm_backward_rows(rows, {sums, sums + width, sums + 2 * width}, chunk * kChunk,
                                 std::min((chunk + 1) * kChunk, num_rows));
        }
      });
    });
    const at::Tensor total = partial.sum(0);
    const auto vector_gradient = [&](size_t input, const at::Tensor& leaf, int64_t which) {
      return ctx->needs_input_grad(input) ? deliver(leaf, total[which]) : at::Tensor();
    };
    return {dx,
            vector_gradient(1, bias, 2),
            d_residual,
            vector_gradient(3, gamma, 0),
            vector_gradient(4, beta, 1),
            {},
            {},
            {},
            {}};
  }
};

}  // namespace

at::Tensor add_norm(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& residual, const LayerNorm& norm,
                    const Dropout& dropout, const at::Tensor& draws, const at::Tensor& positions) {
  if (x.is_cpu()) return AddNorm::apply(x, bias, residual, norm.weight, norm.bias, norm.eps, dropout, draws, positions);
  const at::Tensor sum = keyed_dropout(x + bias, dropout.key, draws, positions, dropout.p) + residual;
  return at::layer_norm(sum, {sum.size(1)}, norm.weight, norm.bias, norm.eps);
}

}  // namespace sft
