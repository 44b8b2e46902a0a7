#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "trainer/models/blocks/add_norm_rows.h"
#include "trainer/models/blocks/row_dropout.h"
#include "trainer/models/blocks/row_kernels.h"

namespace sft {
namespace {

// Gradients of [C] vectors are summed a chunk of rows at a time, then over chunks in order: the same bits on any
// number of threads.
constexpr int64_t kNormChunk = 64;

}  // namespace

void add_norm_on_host(const AddNormTensors& norm, const at::Tensor& x, const at::Tensor& residual, double eps,
                      const at::Tensor& y) {
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "add_norm", [&] {
    AddNormRows<scalar_t> rows;
    rows.dropout = row_dropout(norm.dropout, norm.draws, norm.positions);
    rows.width = x.size(1);
    rows.eps = eps;
    rows.x = x.const_data_ptr<scalar_t>();
    rows.bias = norm.bias.const_data_ptr<scalar_t>();
    rows.residual = residual.const_data_ptr<scalar_t>();
    rows.gamma = norm.gamma.const_data_ptr<scalar_t>();
    rows.beta = norm.beta.const_data_ptr<scalar_t>();
    rows.sum = norm.sum.mutable_data_ptr<scalar_t>();
    rows.mean = norm.mean.mutable_data_ptr<scalar_t>();
    rows.rstd = norm.rstd.mutable_data_ptr<scalar_t>();
    rows.y = y.mutable_data_ptr<scalar_t>();
    at::parallel_for(0, x.size(0), kNormChunk, [&](int64_t begin, int64_t end) { add_norm_rows(rows, begin, end); });
  });
}

void add_norm_backward_on_host(const AddNormTensors& norm, const at::Tensor& dy, const AddNormGradients& into) {
  const int64_t num_rows = dy.size(0), width = dy.size(1), chunks = (num_rows + kNormChunk - 1) / kNormChunk;
  const at::Tensor partial = at::zeros({chunks, 3, width}, dy.options());
  AT_DISPATCH_FLOATING_TYPES(dy.scalar_type(), "add_norm_backward", [&] {
    AddNormBackwardRows<scalar_t> rows;
    rows.dropout = row_dropout(norm.dropout, norm.draws, norm.positions);
    rows.width = width;
    rows.dy = dy.const_data_ptr<scalar_t>();
    rows.sum = norm.sum.const_data_ptr<scalar_t>();
    rows.mean = norm.mean.const_data_ptr<scalar_t>();
    rows.rstd = norm.rstd.const_data_ptr<scalar_t>();
    rows.gamma = norm.gamma.const_data_ptr<scalar_t>();
    rows.dx = into.dx.mutable_data_ptr<scalar_t>();
    rows.d_residual = into.d_residual.mutable_data_ptr<scalar_t>();
    at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        scalar_t* sums = partial.mutable_data_ptr<scalar_t>() + chunk * 3 * width;
        add_norm_backward_rows(rows, {sums, sums + width, sums + 2 * width}, chunk * kNormChunk,
                               std::min((chunk + 1) * kNormChunk, num_rows));
      }
    });
  });
  const at::Tensor total = partial.sum(0);
  const at::Tensor* const sums[] = {&into.d_gamma, &into.d_beta, &into.d_bias};
  for (int64_t i = 0; i < 3; ++i)
    if (sums[i]->defined()) sums[i]->add_(total[i]);
}

}  // namespace sft
