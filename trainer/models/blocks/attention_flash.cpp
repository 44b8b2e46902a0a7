#include "trainer/models/blocks/attention_flash.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/on_device.h"
#include "trainer/models/blocks/row_dropout.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// What the way back needs, in the order of the saved tensors.
enum Saved : size_t { kQ, kK, kV, kOut, kLogSum, kOffsets, kDraws };

// What both passes are given; the bits of dropout are drawn anew by each.
struct Work {
  DeviceFlash flash;
  at::Tensor kept;

  Work(const tensor_list& saved, int64_t longest, const Dropout& dropout) {
    const at::Tensor &q = saved[kQ], &log_sum = saved[kLogSum], &offsets = saved[kOffsets], &draws_B = saved[kDraws];
    flash = {.device = q.device().index(),
             .num_sequences = draws_B.size(0),
             .longest = longest,
             .num_rows = q.size(0),
             .heads = log_sum.size(0),
             .head_width = q.size(1) / log_sum.size(0),
             .offsets = offsets.const_data_ptr<int32_t>(),
             .key = dropout.key,
             .rate = DropRate(dropout.p),
             .draws = draws_B.const_data_ptr<int64_t>(),
             .q = q.const_data_ptr(),
             .k = saved[kK].const_data_ptr(),
             .v = saved[kV].const_data_ptr(),
             .out = saved[kOut].mutable_data_ptr(),
             .log_sum = log_sum.mutable_data_ptr<float>()};
    if (flash.num_kept() == 0) return;
    kept = at::empty({flash.num_kept()}, offsets.options());
    flash.kept = reinterpret_cast<uint32_t*>(kept.mutable_data_ptr<int32_t>());
  }
};

struct FlashAttention : torch::autograd::Function<FlashAttention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q_any, const at::Tensor& k_any,
                            const at::Tensor& v_any, const Attention& attention) {
    const at::Tensor q = q_any.contiguous(), out = at::empty_like(q);
    const at::Tensor log_sum = at::empty({attention.heads, q.size(0)}, q.options().dtype(at::kFloat));
    const auto& [groups, order_B, offsets] = *attention.groups;
    const int64_t longest = groups.empty() ? 0 : groups.front().longest;
    const tensor_list saved{q, k_any.contiguous(), v_any.contiguous(), out, log_sum, offsets, attention.draws_B};
    device_kernels().flash(Work(saved, longest, attention.dropout).flash);
    ctx->save_for_backward(saved);
    ctx->saved_data["longest"] = longest;
    save_dropout(ctx, attention.dropout);
    return out;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &q = saved[kQ], d_out = d_outputs[0].contiguous(), delta = at::empty_like(saved[kLogSum]);
    const at::Tensor dq = at::empty_like(q), dk = at::empty_like(q), dv = at::empty_like(q);
    const Work work(saved, ctx->saved_data["longest"].toInt(), saved_dropout(ctx));
    device_kernels().flash_backward({work.flash, d_out.const_data_ptr(), delta.mutable_data_ptr<float>(),
                                     dq.mutable_data_ptr(), dk.mutable_data_ptr(), dv.mutable_data_ptr()});
    return {dq, dk, dv, {}};
  }
};

}  // namespace

bool flash_takes(const at::Tensor& q, const Attention& attention) {
  return !attention.first_only && DeviceFlash::takes(real_of(q), q.size(1) / attention.heads);
}

at::Tensor attend_by_flash(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  return FlashAttention::apply(q, k, v, attention);
}

}  // namespace sft
