#include "trainer/models/blocks/sequence_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include "trainer/models/blocks/dropout.h"

namespace sft {

at::Tensor by_head(const at::Tensor& x_LC, int64_t heads) {
  return x_LC.view({x_LC.size(0), heads, x_LC.size(1) / heads}).transpose(0, 1);
}

at::Tensor SequenceRows::distances() const {
  const at::Tensor keys_L = at::arange(length, places_Q.options());
  return places_Q.unsqueeze(1) - keys_L.unsqueeze(0) + (length - 1);
}

at::Tensor SequenceRows::attended(const at::Tensor& scores_HQL, const at::Tensor& v_HLD,
                                  const Dropout& probabilities) const {
  const int64_t heads = v_HLD.size(0);
  at::Tensor likely_HQL = at::softmax(scores_HQL, 2);
  if (probabilities.p > 0) {
    const at::Tensor heads_H1 =
        at::arange(heads, places_Q.options()).unsqueeze(1) * BlockRows::kPlaces;  // a head and a place are one number
    const at::Tensor places = (heads_H1 + places_Q.unsqueeze(0)).flatten();
    likely_HQL = keyed_dropout(likely_HQL.flatten(0, 1), probabilities.key, draw_1.expand(heads * asked).contiguous(),
                               places, probabilities.p)
                     .view({heads, asked, length});
  }
  return at::matmul(likely_HQL, v_HLD).transpose(0, 1).reshape({asked, -1});
}

std::vector<SequenceRows> asking_sequences(const BlockRows& rows) {
  const std::vector<int64_t>&keys = rows.inputs.host_offsets,
        &queries = rows.read != nullptr ? rows.read->offsets : rows.inputs.host_offsets;
  std::vector<SequenceRows> all;
  for (size_t b = 0; b + 1 < keys.size(); ++b) {
    const int64_t asked = queries[b + 1] - queries[b];
    if (asked == 0) continue;
    all.push_back({.number = static_cast<int64_t>(b),
                   .first_key = keys[b],
                   .length = keys[b + 1] - keys[b],
                   .first_query = queries[b],
                   .asked = asked,
                   .places_Q = rows.positions_M().narrow(0, queries[b], asked),
                   .draw_1 = rows.inputs.draws_B.narrow(0, static_cast<int64_t>(b), 1)});
  }
  return all;
}

}  // namespace sft
