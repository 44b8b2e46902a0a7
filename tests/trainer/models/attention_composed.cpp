#include "trainer/models/attention_composed.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>

#include "trainer/models/blocks/keep_bits.h"
#include "trainer/models/keep_mask.h"

namespace sft::testing {
namespace {

// One sequence: its queries and keys, [H, Q, D] and [H, L, D], with a key head for each head.
struct Sequence {
  at::Tensor q, k, v, place_Q, key_L, draw;

  Sequence(const at::Tensor& q_MC, const at::Tensor& k_NC, const at::Tensor& v_NC, const Attention& attention,
           int64_t b)
      : draw(attention.draws_B.narrow(0, b, 1)) {
    const auto rows = [b](const at::Tensor& all, const std::vector<int64_t>& offsets) {
      const int64_t first = offsets[static_cast<size_t>(b)];
      return all.narrow(0, first, offsets[static_cast<size_t>(b) + 1] - first);
    };
    const auto by_head = [](const at::Tensor& of, int64_t heads) {
      return of.view({of.size(0), heads, of.size(1) / heads}).transpose(0, 1);
    };
    const int64_t shared = attention.heads / attention.key_heads;
    q = by_head(rows(q_MC, *attention.queries), attention.heads);
    k = by_head(rows(k_NC, *attention.keys), attention.key_heads).repeat_interleave(shared, 0);
    v = by_head(rows(v_NC, *attention.keys), attention.key_heads).repeat_interleave(shared, 0);
    const auto whole = attention.draws_B.options();
    place_Q =
        attention.places_M.defined() ? rows(attention.places_M, *attention.queries) : at::arange(q.size(1), whole);
    key_L = at::arange(k.size(1), whole);
  }

  // [H, Q, L]: −∞ where a query does not see a key, else the bias.
  at::Tensor added(const Attention& attention) const {
    const at::Tensor distance = place_Q.unsqueeze(1) - key_L;
    at::Tensor seen = at::ones(distance.sizes(), distance.options().dtype(at::kBool));
    if (attention.causal) seen = seen.logical_and(distance.ge(0));
    if (attention.window > 0) seen = seen.logical_and(distance.abs().le(attention.window));
    return bias(attention, distance).masked_fill(seen.logical_not(), -std::numeric_limits<double>::infinity());
  }

  at::Tensor bias(const Attention& attention, const at::Tensor& distance) const {
    const at::Tensor& table = attention.bias;
    if (!table.defined()) return at::zeros({attention.heads, q.size(1), k.size(1)}, q.options());
    if (table.dim() == 3) return table.index_select(1, place_Q).index_select(2, key_L);
    return table.index_select(1, (table.size(1) / 2 - distance).flatten()).view({table.size(0), q.size(1), k.size(1)});
  }

  // [H, Q, L] of 0 or the scale: element place · keys + key.
  at::Tensor kept(const Attention& attention) const {
    const int64_t heads = attention.heads, length = k.size(1);
    const int64_t places = place_Q.numel() > 0 ? place_Q.max().item<int64_t>() + 1 : 0;
    const at::Tensor head = at::arange(heads, draw.options());
    return keep_mask(attention.dropout, draw.expand({heads}).contiguous(), head, places * length, q.scalar_type())
        .view({heads, places, length})
        .index_select(1, place_Q);
  }
};

template <class Attend>
at::Tensor each_sequence(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention,
                         const Attend& attend) {
  std::vector<at::Tensor> results;
  for (size_t b = 0; b + 1 < attention.keys->size(); ++b) {
    const Sequence one(q, k, v, attention, static_cast<int64_t>(b));
    results.push_back(one.k.size(1) == 0 ? one.q * 0 : attend(one));
    results.back() = results.back().transpose(0, 1).reshape({-1, q.size(1)});
  }
  return at::cat(results);
}

}  // namespace

at::Tensor attend_composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  return each_sequence(q, k, v, attention, [&](const Sequence& one) {
    const double root = std::sqrt(static_cast<double>(one.q.size(2)));
    at::Tensor probability = at::softmax(at::matmul(one.q, one.k.transpose(1, 2)) / root + one.added(attention), -1);
    if (DropRate(attention.dropout.p).drops()) probability = probability * one.kept(attention);
    return at::matmul(probability, one.v);
  });
}

at::Tensor attend_by_torch(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  return each_sequence(q, k, v, attention, [&](const Sequence& one) {
    return at::scaled_dot_product_attention(one.q, one.k, one.v, one.added(attention), /*dropout_p=*/0.0,
                                            /*is_causal=*/false, attention.scale);
  });
}

}  // namespace sft::testing
