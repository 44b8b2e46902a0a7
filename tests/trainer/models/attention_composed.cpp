#include "trainer/models/attention_composed.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <limits>

#include "trainer/models/blocks/keep_bits.h"
#include "trainer/models/keep_mask.h"

namespace sft::testing {
namespace {

// [B, H, Q, L] of 0 or the scale; element query · keys + key of a sequence's own number of keys.
at::Tensor probability_mask(const Attention& attention, const at::Tensor& keys_B, int64_t queries, int64_t longest,
                            at::ScalarType dtype) {
  const at::Tensor& draws = attention.draws_B;
  const int64_t sequences = draws.size(0), heads = attention.heads;
  const at::Tensor head = at::arange(heads, draws.options()).view({1, -1}).expand({sequences, -1}).reshape({-1});
  const at::Tensor draw = draws.view({-1, 1}).expand({-1, heads}).reshape({-1});
  const at::Tensor drawn = keep_mask(attention.dropout, draw, head, queries * longest, dtype);
  const at::Tensor query = at::arange(queries, draws.options()).view({1, -1, 1}),
                   key = at::arange(longest, draws.options()).view({1, 1, -1});
  const at::Tensor element_BQL = (query * keys_B.view({-1, 1, 1}) + key).clamp_max(queries * longest - 1);
  return drawn.view({sequences, heads, -1})
      .gather(2, element_BQL.view({sequences, 1, -1}).expand({-1, heads, -1}))
      .view({sequences, heads, queries, longest});
}

}  // namespace

// B sequences, H heads, L the longest length, Q queries a sequence (L or 1), D head width
at::Tensor attend_composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention) {
  const std::vector<int64_t>& offsets = *attention.offsets;
  const int64_t sequences = static_cast<int64_t>(offsets.size()) - 1, heads = attention.heads, channels = q.size(1);
  const double width = static_cast<double>(channels / heads);
  int64_t longest = 0;
  for (size_t b = 1; b < offsets.size(); ++b) longest = std::max(longest, offsets[b] - offsets[b - 1]);
  const int64_t queries = attention.first_only ? 1 : longest;

  const at::Tensor bounds = at::tensor(offsets, at::kLong).to(q.device());
  const at::Tensor start_B = bounds.narrow(0, 0, sequences).view({-1, 1}),
                   end_B = bounds.narrow(0, 1, sequences).view({-1, 1});
  const at::Tensor row_BL = start_B + at::arange(longest, bounds.options());
  const at::Tensor real_BL = row_BL.lt(end_B);
  const at::Tensor gather =
      row_BL.clamp_max(k.size(0) - 1).view({-1});  // a padding row reads something; nobody reads it
  const auto by_head = [&](const at::Tensor& rows, int64_t length) {
    return rows.view({sequences, length, heads, -1}).transpose(1, 2);
  };

  const at::Tensor q_BHQD = by_head(attention.first_only ? q : q.index_select(0, gather), queries);
  const at::Tensor k_BHLD = by_head(k.index_select(0, gather), longest),
                   v_BHLD = by_head(v.index_select(0, gather), longest);
  const at::Tensor scores = (at::matmul(q_BHQD, k_BHLD.transpose(2, 3)) / std::sqrt(width))
                                .masked_fill(real_BL.logical_not().view({sequences, 1, 1, longest}),
                                             -std::numeric_limits<double>::infinity());
  at::Tensor probability = at::softmax(scores, -1);
  if (DropRate(attention.dropout.p).drops())
    probability = probability * probability_mask(attention, end_B - start_B, queries, longest, q.scalar_type());
  const at::Tensor out = at::matmul(probability, v_BHLD).transpose(1, 2).reshape({-1, channels});
  return attention.first_only ? out : out.index_select(0, real_BL.view({-1}).nonzero().view({-1}));
}

}  // namespace sft::testing
