#include "trainer/models/blocks/attention_flash.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "trainer/models/blocks/on_device.h"
#include "trainer/models/blocks/row_dropout.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// What the way back needs, in the order of the saved tensors.
enum Saved : size_t { kQ, kK, kV, kOut, kLogSum, kQueries, kKeys, kPlaces, kDraws };

// What both passes are given; the bits of dropout are drawn anew by each.
struct Work {
  DeviceFlash flash;
  at::Tensor kept;

  // `shape` is what no tensor says: longest, most queries, key heads, causal, window.
  Work(const tensor_list& saved, const std::vector<int64_t>& shape, const Dropout& dropout) {
    const at::Tensor &q = saved[kQ], &log_sum = saved[kLogSum], &places_M = saved[kPlaces], &draws_B = saved[kDraws];
    flash = {.device = q.device().index(),
             .num_sequences = draws_B.size(0),
             .longest = shape[0],
             .most_queries = shape[1],
             .num_queries = q.size(0),
             .num_places = places_M.defined() ? saved[kK].size(0) : q.size(0),
             .heads = log_sum.size(0),
             .key_heads = shape[2],
             .head_width = q.size(1) / log_sum.size(0),
             .queries = saved[kQueries].const_data_ptr<int32_t>(),
             .keys = saved[kKeys].const_data_ptr<int32_t>(),
             .mask = {places_M.defined() ? places_M.const_data_ptr<int64_t>() : nullptr, shape[3] != 0, shape[4]},
             .key = dropout.key,
             .rate = DropRate(dropout.p),
             .draws = draws_B.const_data_ptr<int64_t>(),
             .q = q.const_data_ptr(),
             .k = saved[kK].const_data_ptr(),
             .v = saved[kV].const_data_ptr(),
             .out = saved[kOut].mutable_data_ptr(),
             .log_sum = log_sum.mutable_data_ptr<float>()};
    if (flash.num_kept() == 0) return;
    kept = at::empty({flash.num_kept()}, saved[kQueries].options());
    flash.kept = reinterpret_cast<uint32_t*>(kept.mutable_data_ptr<int32_t>());
  }
};

struct FlashAttention : torch::autograd::Function<FlashAttention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q_any, const at::Tensor& k_any,
                            const at::Tensor& v_any, const Attention& attention) {
    const at::Tensor q = q_any.contiguous(), out = at::empty_like(q);
    const at::Tensor log_sum = at::empty({attention.heads, q.size(0)}, q.options().dtype(at::kFloat));
    const SequenceGroups& batch = *attention.groups;
    std::vector<int64_t> shape{0, 0, attention.key_heads, attention.causal ? 1 : 0, attention.window};
    for (const SequenceGroup& group : batch.groups) {
      shape[0] = std::max(shape[0], group.longest);
      shape[1] = std::max(shape[1], group.most_queries);
    }
    const tensor_list saved{q,          k_any.contiguous(), v_any.contiguous(), out, log_sum, batch.queries,
                            batch.keys, attention.places_M, attention.draws_B};
    device_kernels().flash(Work(saved, shape, attention.dropout).flash);
    ctx->save_for_backward(saved);
    ctx->saved_data["shape"] = shape;
    save_dropout(ctx, attention.dropout);
    return out;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor d_out = d_outputs[0].contiguous(), delta = at::empty_like(saved[kLogSum]);
    const at::Tensor dq = at::empty_like(saved[kQ]), dk = at::empty_like(saved[kK]), dv = at::empty_like(saved[kV]);
    const Work work(saved, ctx->saved_data["shape"].toIntVector(), saved_dropout(ctx));
    device_kernels().flash_backward({work.flash, d_out.const_data_ptr(), delta.mutable_data_ptr<float>(),
                                     dq.mutable_data_ptr(), dk.mutable_data_ptr(), dv.mutable_data_ptr()});
    return {dq, dk, dv, {}};
  }
};

}  // namespace

// Bits of dropout are drawn for all places of a sequence: too many for a query or two of each.
bool flash_takes(const at::Tensor& q, const at::Tensor& k, const Attention& attention) {
  return 4 * q.size(0) >= k.size(0) && !attention.bias.defined() &&
         DeviceFlash::takes(real_of(q), q.size(1) / attention.heads);
}

at::Tensor attend_by_flash(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  return FlashAttention::apply(q, k, v, attention);
}

}  // namespace sft
