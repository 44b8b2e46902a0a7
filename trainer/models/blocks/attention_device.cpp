// G sequences of a group with K key heads each: keys [G·K, L, D], where L is the most of a sequence (rounded up, for
// the matrix units) and D a head's width; queries [G·K, R·Q, D], where R heads read a key head. Scores are [G·K, R·Q,
// L].
#include "trainer/models/blocks/attention_device.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "base/errors.h"
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

int64_t whole_steps(int64_t rows) { return (rows + kLengthStep - 1) / kLengthStep * kLengthStep; }

// What both passes read beside the rows.
struct Told {
  int64_t heads = 1, key_heads = 1;
  DeviceMask mask;
  Dropout dropout;
  at::Tensor draws_B, order_B, queries, keys, places_M;

  explicit Told(const Attention& attention)
      : heads(attention.heads),
        key_heads(attention.key_heads),
        mask{nullptr, attention.causal, attention.window},
        dropout(attention.dropout),
        draws_B(attention.draws_B),
        order_B(attention.groups->order_B),
        queries(attention.groups->queries),
        keys(attention.groups->keys),
        places_M(attention.places_M) {
    point();
  }
  Told(AutogradContext* ctx, const tensor_list& saved)
      : heads(ctx->saved_data["heads"].toInt()),
        key_heads(ctx->saved_data["key_heads"].toInt()),
        mask{nullptr, ctx->saved_data["causal"].toBool(), ctx->saved_data["window"].toInt()},
        dropout(saved_dropout(ctx)),
        draws_B(saved[0]),
        order_B(saved[1]),
        queries(saved[2]),
        keys(saved[3]),
        places_M(saved[4]) {
    point();
  }

  void save(AutogradContext* ctx) const {
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["key_heads"] = key_heads;
    ctx->saved_data["causal"] = mask.causal;
    ctx->saved_data["window"] = mask.window;
    save_dropout(ctx, dropout);
  }
  tensor_list tensors() const { return {draws_B, order_B, queries, keys, places_M}; }

 private:
  void point() {
    if (places_M.defined()) mask.places = places_M.const_data_ptr<int64_t>();
  }
};

// One group of a batch at work.
class GroupedAttention {
 public:
  GroupedAttention(const at::Tensor& like, const Told& told, const SequenceGroup& group)
      : options_(like.options()),
        told_(told),
        alike_(told.heads == told.key_heads && told.queries.const_data_ptr() == told.keys.const_data_ptr()) {
    keys_.device = like.device().index();
    keys_.type = real_of(like);
    keys_.count = group.count;
    keys_.length = whole_steps(group.longest);
    keys_.order = told.order_B.const_data_ptr<int32_t>() + group.first;
    keys_.offsets = told.keys.const_data_ptr<int32_t>();
    keys_.heads = told.key_heads;
    keys_.head_width = like.size(1) / told.heads;
    queries_ = keys_;
    queries_.heads = told.heads;
    queries_.offsets = told.queries.const_data_ptr<int32_t>();
    if (!alike_) queries_.length = group.most_queries == 1 ? 1 : whole_steps(group.most_queries);
  }

  // q, k and v by key head, in one call where queries lie as keys do.
  tensor_list padded(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) const {
    if (alike_) return padded(keys_, {q, k, v});
    tensor_list all{padded_queries(q)};
    for (at::Tensor& tensor : padded(keys_, {k, v})) all.push_back(std::move(tensor));
    return all;
  }
  at::Tensor padded_queries(const at::Tensor& q) const { return padded(queries_, {q}).front(); }

  // And back, into the rows of the group.
  void unpad(const tensor_list& qkv_pad, const tensor_list& qkv) const {
    if (alike_) return unpad(keys_, qkv_pad, qkv);
    unpad_queries(qkv_pad[0], qkv[0]);
    unpad(keys_, {qkv_pad[1], qkv_pad[2]}, {qkv[1], qkv[2]});
  }
  void unpad_queries(const at::Tensor& q_pad, const at::Tensor& q) const { unpad(queries_, {q_pad}, {q}); }

  // The probabilities of scores, and what dropout leaves of them.
  std::pair<at::Tensor, at::Tensor> softmax(const at::Tensor& scores) const {
    const DropRate rate(told_.dropout.p);
    const at::Tensor probability = at::empty(scores.sizes(), options_);
    const at::Tensor dropped = rate.drops() ? at::empty_like(probability) : probability;
    device_kernels().softmax({of_scores(), queries_.length, queries_.offsets, told_.mask, told_.dropout.key, rate,
                              told_.draws_B.const_data_ptr<int64_t>(), scores.const_data_ptr(),
                              probability.mutable_data_ptr(), dropped.mutable_data_ptr()});
    return {probability, dropped};
  }

  // The gradient of scores, and what dropout had left of the probabilities.
  std::pair<at::Tensor, at::Tensor> softmax_backward(const at::Tensor& probability, const at::Tensor& d_dropped) const {
    const at::Tensor d_scores = at::empty_like(probability), dropped = at::empty_like(probability);
    device_kernels().softmax_backward({of_scores(), queries_.length, queries_.offsets, told_.mask, told_.dropout.key,
                                       DropRate(told_.dropout.p), told_.draws_B.const_data_ptr<int64_t>(),
                                       probability.const_data_ptr(), d_dropped.const_data_ptr(),
                                       dropped.mutable_data_ptr(), d_scores.mutable_data_ptr()});
    return {d_scores, dropped};
  }

 private:
  // [G·K, rows, D]: heads that share a key head follow one another, so that their rows are one matrix.
  tensor_list padded(const DeviceSequences& of, const tensor_list& packed) const {
    tensor_list result;
    for (size_t i = 0; i < packed.size(); ++i)
      result.push_back(
          at::empty({of.count * keys_.heads, of.heads / keys_.heads * of.length, of.head_width}, options_));
    device_kernels().pad(padding(of, packed, result));
    return result;
  }
  void unpad(const DeviceSequences& of, const tensor_list& padded, const tensor_list& packed) const {
    device_kernels().unpad(padding(of, packed, padded));
  }

  static DevicePadding padding(const DeviceSequences& of, const tensor_list& packed, const tensor_list& padded) {
    DevicePadding work{.of = of};
    for (size_t i = 0; i < packed.size(); ++i) {
      work.packed[i] = packed[i].mutable_data_ptr();
      work.padded[i] = padded[i].mutable_data_ptr();
    }
    work.num_tensors = static_cast<int>(packed.size());
    return work;
  }

  DeviceSequences of_scores() const {
    DeviceSequences of = keys_;
    of.heads = queries_.heads;
    return of;
  }

  at::TensorOptions options_;
  const Told& told_;
  bool alike_;  // queries lie as keys do
  DeviceSequences queries_, keys_;
};

constexpr size_t kFixed = 5, kOfGroup = 4;  // saved tensors of the batch, and of each group behind them

struct DeviceAttention : torch::autograd::Function<DeviceAttention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q_any, const at::Tensor& k_any,
                            const at::Tensor& v_any, const Attention& attention) {
    const at::Tensor q = q_any.contiguous(), k = k_any.contiguous(), v = v_any.contiguous();
    const Told told(attention);
    const at::Tensor out = at::empty_like(q);
    tensor_list saved = told.tensors();
    std::vector<int64_t> groups;
    for (const SequenceGroup& group : attention.groups->groups) {
      const GroupedAttention with(q, told, group);
      const tensor_list qkv_pad = with.padded(q, k, v);
      const auto [probability, dropped] = with.softmax(wide_product(qkv_pad[0], qkv_pad[1].transpose(1, 2)));
      with.unpad_queries(at::bmm(dropped, qkv_pad[2]), out);
      saved.insert(saved.end(), qkv_pad.begin(), qkv_pad.end());
      saved.push_back(probability);
      groups.insert(groups.end(), {group.first, group.count, group.longest, group.most_queries});
    }
    ctx->save_for_backward(saved);
    told.save(ctx);
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["k"] = k.sizes();
    return out;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const Told told(ctx, saved);
    const std::vector<int64_t> groups = ctx->saved_data["groups"].toIntVector();
    const at::Tensor d_out = d_outputs[0].contiguous(), dq = at::empty_like(d_out);
    const at::Tensor dk = at::empty(ctx->saved_data["k"].toIntVector(), d_out.options()), dv = at::empty_like(dk);
    for (size_t g = 0; g < groups.size() / 4; ++g) {
      const SequenceGroup group{groups[4 * g], groups[4 * g + 1], groups[4 * g + 2], groups[4 * g + 3]};
      const at::Tensor* const kept = &saved[kFixed + kOfGroup * g];
      const at::Tensor &q_pad = kept[0], &k_pad = kept[1], &v_pad = kept[2], &probability = kept[3];
      const GroupedAttention with(d_out, told, group);
      const at::Tensor d_out_pad = with.padded_queries(d_out);
      const auto [d_scores, dropped] =
          with.softmax_backward(probability, wide_product(d_out_pad, v_pad.transpose(1, 2)));
      with.unpad({at::bmm(d_scores, k_pad), at::bmm(d_scores.transpose(1, 2), q_pad),
                  at::bmm(dropped.transpose(1, 2), d_out_pad)},
                 {dq, dk, dv});
    }
    return {dq, dk, dv, {}};
  }
};

}  // namespace

at::Tensor attend_on_device(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  if (attention.bias.defined())
    throw DeviceError("attention with a bias of relative positions has no kernel for GPUs yet");
  if (flash_takes(q, k, attention)) return attend_by_flash(q, k, v, attention);
  return DeviceAttention::apply(q, k, v, attention);
}

}  // namespace sft
