#include "trainer/models/blocks/dropout.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/on_device.h"
#include "trainer/models/blocks/row_dropout.h"
#include "trainer/models/blocks/row_kernels.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kRowsAThread = 64;

struct KeyedDropout : torch::autograd::Function<KeyedDropout> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const Dropout& dropout, const at::Tensor& draws,
                            const at::Tensor& positions) {
    save_dropout(ctx, dropout);
    ctx->save_for_backward({draws, positions});
    return dropped(x, dropout, draws, positions);
  }
  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    return {dropped(d_outputs[0], saved_dropout(ctx), saved[0], saved[1]), {}, {}, {}};
  }
};

}  // namespace

at::Tensor dropped(const at::Tensor& x_any, const Dropout& dropout, const at::Tensor& draws,
                   const at::Tensor& positions) {
  const at::Tensor x = x_any.contiguous();
  at::Tensor y = at::empty_like(x);
  if (!x.is_cpu()) {
    device_kernels().drop_rows(
        {device_rows(x), row_dropout(dropout, draws, positions), x.const_data_ptr(), y.mutable_data_ptr()});
    return y;
  }
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "keyed_dropout", [&] {
    const DropRows<scalar_t> rows{row_dropout(dropout, draws, positions), x.size(1), x.const_data_ptr<scalar_t>(),
                                  y.data_ptr<scalar_t>()};
    at::parallel_for(0, x.size(0), kRowsAThread, [&](int64_t begin, int64_t end) { drop_rows(rows, begin, end); });
  });
  return y;
}

at::Tensor keyed_dropout(const at::Tensor& x, const DropoutKey& key, const at::Tensor& draws,
                         const at::Tensor& positions, double p) {
  const Dropout dropout{key, p};
  return DropRate(p).drops() ? KeyedDropout::apply(x, dropout, draws, positions) : x;
}

}  // namespace sft
