#include "trainer/models/blocks/attention.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/attention_device.h"
#include "trainer/models/blocks/attention_kernels.h"
#include "trainer/models/blocks/row_dropout.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kItemsAThread = 4;

AttentionShape shape_of(const at::Tensor& q, int64_t heads, const std::vector<int64_t>& offsets,
                        const at::Tensor& draws_B, bool first_only, const Dropout& dropout) {
  return {offsets.data(),     draws_B.const_data_ptr<int64_t>(), heads, q.size(1) / heads, first_only, dropout.key,
          DropRate(dropout.p)};
}

struct PackedAttention : torch::autograd::Function<PackedAttention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q_any, const at::Tensor& k_any,
                            const at::Tensor& v_any, const Attention& attention) {
    const at::Tensor q = q_any.contiguous(), k = k_any.contiguous(), v = v_any.contiguous();
    const std::vector<int64_t>& offsets = *attention.offsets;
    const int64_t items = (static_cast<int64_t>(offsets.size()) - 1) * attention.heads;
    const at::Tensor out = at::empty_like(q), norms = at::empty({q.size(0), attention.heads, 2}, q.options());
    AT_DISPATCH_FLOATING_TYPES(q.scalar_type(), "attend", [&] {
      const AttentionForward<scalar_t> work{
          shape_of(q, attention.heads, offsets, attention.draws_B, attention.first_only, attention.dropout),
          q.const_data_ptr<scalar_t>(),
          k.const_data_ptr<scalar_t>(),
          v.const_data_ptr<scalar_t>(),
          out.data_ptr<scalar_t>(),
          norms.data_ptr<scalar_t>()};
      at::parallel_for(0, items, kItemsAThread, [&](int64_t begin, int64_t end) { attend(work, begin, end); });
    });
    ctx->save_for_backward({q, k, v, norms, attention.draws_B});
    ctx->saved_data["heads"] = attention.heads;
    ctx->saved_data["first_only"] = attention.first_only;
    ctx->saved_data["offsets"] = offsets;
    save_dropout(ctx, attention.dropout);
    return out;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &norms = saved[3], &draws_B = saved[4];
    const at::Tensor d_out = d_outputs[0].contiguous();
    const int64_t heads = ctx->saved_data["heads"].toInt();
    const std::vector<int64_t> offsets = ctx->saved_data["offsets"].toIntVector();
    const int64_t items = (static_cast<int64_t>(offsets.size()) - 1) * heads;
    const at::Tensor dq = at::empty_like(q), dk = at::empty_like(k), dv = at::empty_like(v);
    AT_DISPATCH_FLOATING_TYPES(q.scalar_type(), "attend_backward", [&] {
      const AttentionBackward<scalar_t> work{
          shape_of(q, heads, offsets, draws_B, ctx->saved_data["first_only"].toBool(), saved_dropout(ctx)),
          q.const_data_ptr<scalar_t>(),
          k.const_data_ptr<scalar_t>(),
          v.const_data_ptr<scalar_t>(),
          norms.const_data_ptr<scalar_t>(),
          d_out.const_data_ptr<scalar_t>(),
          dq.data_ptr<scalar_t>(),
          dk.data_ptr<scalar_t>(),
          dv.data_ptr<scalar_t>()};
      at::parallel_for(0, items, kItemsAThread, [&](int64_t begin, int64_t end) { attend_backward(work, begin, end); });
    });
    return {dq, dk, dv, {}};
  }
};

}  // namespace

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  return q.is_cpu() ? PackedAttention::apply(q, k, v, attention) : attend_on_device(q, k, v, attention);
}

}  // namespace sft
