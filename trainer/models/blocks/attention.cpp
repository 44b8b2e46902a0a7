#include "trainer/models/blocks/attention.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cassert>
#include <cmath>
#include <optional>

#include "trainer/models/blocks/attention_device.h"
#include "trainer/models/blocks/attention_kernels.h"
#include "trainer/models/blocks/row_dropout.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kItemsAThread = 4;

double usual_scale(const Attention& attention, int64_t channels) {
  return 1.0 / std::sqrt(static_cast<double>(channels / attention.heads));
}

double scale_of(const Attention& attention, int64_t channels) {
  return attention.scale.value_or(usual_scale(attention, channels));
}

// What both passes read beside the rows; the offsets are owned, since the backward pass comes after the batch.
struct HostAttention {
  std::vector<int64_t> queries, keys, key_ends;
  int64_t heads = 1, key_heads = 1;
  bool causal = false;
  int64_t window = 0;
  double scale = 1;
  Dropout dropout;

  HostAttention(const Attention& attention, int64_t channels)
      : queries(*attention.queries),
        keys(*attention.keys),
        key_ends(attention.key_ends != nullptr ? *attention.key_ends : std::vector<int64_t>()),
        heads(attention.heads),
        key_heads(attention.key_heads),
        causal(attention.causal),
        window(attention.window),
        scale(scale_of(attention, channels)),
        dropout(attention.dropout) {}

  explicit HostAttention(AutogradContext* ctx)
      : queries(ctx->saved_data["queries"].toIntVector()),
        keys(ctx->saved_data["keys"].toIntVector()),
        heads(ctx->saved_data["heads"].toInt()),
        key_heads(ctx->saved_data["key_heads"].toInt()),
        causal(ctx->saved_data["causal"].toBool()),
        window(ctx->saved_data["window"].toInt()),
        scale(ctx->saved_data["scale"].toDouble()),
        dropout(saved_dropout(ctx)) {}

  void save(AutogradContext* ctx) const {
    ctx->saved_data["queries"] = queries;
    ctx->saved_data["keys"] = keys;
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["key_heads"] = key_heads;
    ctx->saved_data["causal"] = causal;
    ctx->saved_data["window"] = window;
    ctx->saved_data["scale"] = scale;
    save_dropout(ctx, dropout);
  }

  int64_t num_items() const { return (static_cast<int64_t>(keys.size()) - 1) * key_heads; }

  AttentionShape shape(int64_t channels, const at::Tensor& places_M, const at::Tensor& draws_B) const {
    assert(queries.size() == keys.size() && heads % key_heads == 0);
    return {.queries = queries.data(),
            .keys = keys.data(),
            .key_ends = key_ends.empty() ? nullptr : key_ends.data(),
            .places = places_M.defined() ? places_M.const_data_ptr<int64_t>() : nullptr,
            .draws = draws_B.const_data_ptr<int64_t>(),
            .heads = heads,
            .key_heads = key_heads,
            .head_width = channels / heads,
            .scale = scale,
            .causal = causal,
            .window = window,
            .key = dropout.key,
            .rate = DropRate(dropout.p)};
  }
};

template <class T>
PlaceBias<T> by_places(const at::Tensor& table) {
  if (!table.defined()) return {};
  T* const first = table.data_ptr<std::remove_const_t<T>>();
  if (table.dim() == 2) return {first + table.size(1) / 2, table.stride(0), -1};
  return {first, table.stride(0), table.stride(1)};
}

// `norms` [M, H, 2] are what the backward pass needs.
at::Tensor attended(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias,
                    const Attention& attention, const HostAttention& host, const at::Tensor& norms) {
  const at::Tensor out = at::empty_like(q);
  AT_DISPATCH_FLOATING_TYPES(q.scalar_type(), "attend", [&] {
    const AttentionForward<scalar_t> work{host.shape(q.size(1), attention.places_M, attention.draws_B),
                                          q.const_data_ptr<scalar_t>(),
                                          k.const_data_ptr<scalar_t>(),
                                          v.const_data_ptr<scalar_t>(),
                                          by_places<const scalar_t>(bias),
                                          out.data_ptr<scalar_t>(),
                                          norms.data_ptr<scalar_t>()};
    at::parallel_for(0, host.num_items(), kItemsAThread, [&](int64_t begin, int64_t end) {
      attend(work, {begin, end});
    });
  });
  return out;
}

at::Tensor norms_for(const at::Tensor& q, const HostAttention& host) {
  return at::empty({q.size(0), host.heads, 2}, q.options());
}

struct PackedAttention : torch::autograd::Function<PackedAttention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& q_any, const at::Tensor& k_any,
                            const at::Tensor& v_any, const std::optional<at::Tensor>& bias_any,
                            const Attention& attention) {
    const at::Tensor q = q_any.contiguous(), k = k_any.contiguous(), v = v_any.contiguous();
    const at::Tensor bias = bias_any ? bias_any->contiguous() : at::Tensor();
    const HostAttention host(attention, q.size(1));
    const at::Tensor norms = norms_for(q, host), out = attended(q, k, v, bias, attention, host, norms);
    ctx->save_for_backward({q, k, v, norms, attention.draws_B, attention.places_M, bias});
    host.save(ctx);
    return out;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &norms = saved[3], &bias = saved[6];
    const at::Tensor d_out = d_outputs[0].contiguous();
    const HostAttention host(ctx);
    const at::Tensor dq = at::empty_like(q), dk = at::empty_like(k), dv = at::empty_like(v);
    const at::Tensor d_bias = bias.defined() && ctx->needs_input_grad(3) ? at::zeros_like(bias) : at::Tensor();
    AT_DISPATCH_FLOATING_TYPES(q.scalar_type(), "attend_backward", [&] {
      const AttentionBackward<scalar_t> work{host.shape(q.size(1), saved[5], saved[4]),
                                             q.const_data_ptr<scalar_t>(),
                                             k.const_data_ptr<scalar_t>(),
                                             v.const_data_ptr<scalar_t>(),
                                             by_places<const scalar_t>(bias),
                                             norms.const_data_ptr<scalar_t>(),
                                             d_out.const_data_ptr<scalar_t>(),
                                             dq.data_ptr<scalar_t>(),
                                             dk.data_ptr<scalar_t>(),
                                             dv.data_ptr<scalar_t>(),
                                             by_places<scalar_t>(d_bias)};
      if (d_bias.defined()) {
        at::parallel_for(0, host.key_heads, 1, [&](int64_t begin, int64_t end) {
          for (int64_t g = begin; g < end; ++g) attend_backward(work, {g, host.num_items(), host.key_heads});
        });
      } else {
        at::parallel_for(0, host.num_items(), kItemsAThread, [&](int64_t begin, int64_t end) {
          attend_backward(work, {begin, end});
        });
      }
    });
    return {dq, dk, dv, d_bias, {}};
  }
};

// A device's kernels take rows one behind the other: what stands between is left out first.
at::Tensor attend_without_gaps(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               const Attention& attention) {
  std::vector<int64_t> rows, keys{0}, order;
  for (size_t b = 0; b < attention.key_ends->size(); ++b) {
    for (int64_t row = (*attention.keys)[b]; row < (*attention.key_ends)[b]; ++row) rows.push_back(row);
    keys.push_back(static_cast<int64_t>(rows.size()));
  }
  const auto there = [&](const std::vector<int64_t>& values, at::ScalarType type) {
    return at::tensor(values, at::kLong).to(q.device(), type);
  };
  const at::Tensor chosen = there(rows, at::kLong);
  Attention packed = attention;
  SequenceGroups groups;
  groups.groups = group_sequences(*attention.queries, keys, order);
  groups.order_B = there(order, at::kInt);
  groups.queries = there(*attention.queries, at::kInt);
  groups.keys = there(keys, at::kInt);
  packed.keys = &keys;
  packed.key_ends = nullptr;
  packed.groups = &groups;
  return attend_on_device(q, k.index_select(0, chosen), v.index_select(0, chosen), packed);
}

}  // namespace

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  if (!q.is_cpu()) {
    const at::Tensor scaled = attention.scale ? q * (*attention.scale / usual_scale(attention, q.size(1))) : q;
    return attention.key_ends != nullptr ? attend_without_gaps(scaled, k, v, attention)
                                         : attend_on_device(scaled, k, v, attention);
  }
  if (!c10::GradMode::is_enabled()) {
    const at::Tensor rows = q.contiguous();
    const HostAttention host(attention, q.size(1));
    return attended(rows, k.contiguous(), v.contiguous(),
                    attention.bias.defined() ? attention.bias.contiguous() : attention.bias, attention, host,
                    norms_for(rows, host));
  }
  const auto bias = attention.bias.defined() ? std::optional(attention.bias) : std::nullopt;
  return PackedAttention::apply(q, k, v, bias, attention);
}

}  // namespace sft
