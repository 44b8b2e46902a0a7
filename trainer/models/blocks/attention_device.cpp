// G sequences of a group with H heads each: [G·H, L, D], where L is the longest length (rounded up, for the matrix
// units) and D a head's width; Q queries, L or 1.
#include "trainer/models/blocks/attention_device.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/attention_flash.h"
#include "trainer/models/blocks/on_device.h"
#include "trainer/models/blocks/row_dropout.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kLengthStep = 8;

// a · b, summed and returned in the wide type.
at::Tensor wide_product(const at::Tensor& a, const at::Tensor& b) {
  const at::ScalarType wide = wide_type(a.scalar_type());
  return a.scalar_type() == wide ? at::bmm(a, b) : at::bmm(a, b, wide);
}

enum class Rows { queries, keys };

// One group of a batch at work.
class GroupedAttention {
 public:
  GroupedAttention(const at::Tensor& like, int64_t heads, const SequenceGroup& group, const at::Tensor& order,
                   const at::Tensor& offsets, bool first_only)
      : options_(like.options()), first_only_(first_only) {
    of_.device = like.device().index();
    of_.type = real_of(like);
    of_.count = group.count;
    of_.length = (group.longest + kLengthStep - 1) / kLengthStep * kLengthStep;
    of_.order = order.const_data_ptr<int32_t>() + group.first;
    of_.offsets = offsets.const_data_ptr<int32_t>();
    of_.heads = heads;
    of_.head_width = like.size(1) / heads;
  }

  int64_t queries() const { return first_only_ ? 1 : of_.length; }

  // Packed rows [N, C] to [G·H, L or Q, D].
  tensor_list padded(Rows rows, const tensor_list& packed) const {
    tensor_list result;
    for (size_t i = 0; i < packed.size(); ++i)
      result.push_back(at::empty({of_.count * of_.heads, length_of(rows), of_.head_width}, options_));
    device_kernels().pad(padding(rows, packed, result));
    return result;
  }

  // And back, into the rows of the group.
  void unpad(Rows rows, const tensor_list& padded, const tensor_list& packed) const {
    device_kernels().unpad(padding(rows, packed, padded));
  }

  // q, k and v [N, C], in one call where a sequence has as many queries as keys.
  tensor_list padded(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) const {
    if (!first_only_) return padded(Rows::keys, {q, k, v});
    tensor_list all = padded(Rows::queries, {q});
    for (at::Tensor& tensor : padded(Rows::keys, {k, v})) all.push_back(std::move(tensor));
    return all;
  }
  void unpad(const tensor_list& qkv_pad, const tensor_list& qkv) const {
    if (!first_only_) return unpad(Rows::keys, qkv_pad, qkv);
    unpad(Rows::queries, {qkv_pad[0]}, {qkv[0]});
    unpad(Rows::keys, {qkv_pad[1], qkv_pad[2]}, {qkv[1], qkv[2]});
  }

  // The probabilities of scores, and what dropout leaves of them.
  std::pair<at::Tensor, at::Tensor> softmax(const at::Tensor& scores, const Dropout& dropout,
                                            const at::Tensor& draws_B) const {
    const DropRate rate(dropout.p);
    const at::Tensor probability = at::empty(scores.sizes(), options_);
    const at::Tensor dropped = rate.drops() ? at::empty_like(probability) : probability;
    device_kernels().softmax({of_, queries(), dropout.key, rate, draws_B.const_data_ptr<int64_t>(),
                              scores.const_data_ptr(), probability.mutable_data_ptr(), dropped.mutable_data_ptr()});
    return {probability, dropped};
  }

  // The gradient of scores, and what dropout had left of the probabilities.
  std::pair<at::Tensor, at::Tensor> softmax_backward(const at::Tensor& probability, const at::Tensor& d_dropped,
                                                     const Dropout& dropout, const at::Tensor& draws_B) const {
    const at::Tensor d_scores = at::empty_like(probability), dropped = at::empty_like(probability);
    device_kernels().softmax_backward({of_, queries(), dropout.key, DropRate(dropout.p),
                                       draws_B.const_data_ptr<int64_t>(), probability.const_data_ptr(),
                                       d_dropped.const_data_ptr(), dropped.mutable_data_ptr(),
                                       d_scores.mutable_data_ptr()});
    return {d_scores, dropped};
  }

 private:
  int64_t length_of(Rows rows) const { return rows == Rows::queries ? queries() : of_.length; }

  DevicePadding padding(Rows rows, const tensor_list& packed, const tensor_list& padded) const {
    DevicePadding work{.of = of_, .one_row = rows == Rows::queries && first_only_};
    work.of.length = length_of(rows);
    for (size_t i = 0; i < packed.size(); ++i) {
      work.packed[i] = packed[i].mutable_data_ptr();
      work.padded[i] = padded[i].mutable_data_ptr();
    }
    work.num_tensors = static_cast<int>(packed.size());
    return work;
  }

  at::TensorOptions options_;
  bool first_only_;
  DeviceSequences of_;
};

constexpr size_t kFixed = 3, kOfGroup = 4;  // saved tensors of the batch, and of each group behind them

struct DeviceAttention : torch::autograd::Function<DeviceAttention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q_any, const at::Tensor& k_any,
                            const at::Tensor& v_any, const Attention& attention) {
    const at::Tensor q = q_any.contiguous(), k = k_any.contiguous(), v = v_any.contiguous();
    const SequenceGroups& batch = *attention.groups;
    const at::Tensor out = at::empty_like(q);
    tensor_list saved{attention.draws_B, batch.order_B, batch.offsets};
    std::vector<int64_t> groups;
    for (const SequenceGroup& group : batch.groups) {
      const GroupedAttention with(q, attention.heads, group, batch.order_B, batch.offsets, attention.first_only);
      const tensor_list qkv_pad = with.padded(q, k, v);
      const auto [probability, dropped] =
          with.softmax(wide_product(qkv_pad[0], qkv_pad[1].transpose(1, 2)), attention.dropout, attention.draws_B);
      with.unpad(Rows::queries, {at::bmm(dropped, qkv_pad[2])}, {out});
      saved.insert(saved.end(), qkv_pad.begin(), qkv_pad.end());
      saved.push_back(probability);
      groups.insert(groups.end(), {group.first, group.count, group.longest});
    }
    ctx->save_for_backward(saved);
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["heads"] = attention.heads;
    ctx->saved_data["first_only"] = attention.first_only;
    ctx->saved_data["keys"] = k.size(0);
    save_dropout(ctx, attention.dropout);
    return out;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const std::vector<int64_t> groups = ctx->saved_data["groups"].toIntVector();
    const int64_t heads = ctx->saved_data["heads"].toInt();
    const bool first_only = ctx->saved_data["first_only"].toBool();
    const Dropout dropout = saved_dropout(ctx);
    const at::Tensor d_out = d_outputs[0].contiguous(), dq = at::empty_like(d_out);
    const at::Tensor dk = at::empty({ctx->saved_data["keys"].toInt(), d_out.size(1)}, d_out.options());
    const at::Tensor dv = at::empty_like(dk);
    for (size_t g = 0; g < groups.size() / 3; ++g) {
      const SequenceGroup group{groups[3 * g], groups[3 * g + 1], groups[3 * g + 2]};
      const at::Tensor* const kept = &saved[kFixed + kOfGroup * g];
      const at::Tensor &q_pad = kept[0], &k_pad = kept[1], &v_pad = kept[2], &probability = kept[3];
      const GroupedAttention with(d_out, heads, group, saved[1], saved[2], first_only);
      const at::Tensor d_out_pad = with.padded(Rows::queries, {d_out}).front();
      const auto [d_scores, dropped] =
          with.softmax_backward(probability, wide_product(d_out_pad, v_pad.transpose(1, 2)), dropout, saved[0]);
      with.unpad({at::bmm(d_scores, k_pad), at::bmm(d_scores.transpose(1, 2), q_pad),
                  at::bmm(dropped.transpose(1, 2), d_out_pad)},
                 {dq, dk, dv});
    }
    return {dq, dk, dv, {}};
  }
};

}  // namespace

at::Tensor attend_on_device(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  if (flash_takes(q, attention)) return attend_by_flash(q, k, v, attention);
  return DeviceAttention::apply(q, k, v, attention);
}

}  // namespace sft
