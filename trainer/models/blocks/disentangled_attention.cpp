#include "trainer/models/blocks/disentangled_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/log.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <vector>

#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/low_rank.h"

namespace sft {
namespace {

// Above every place in a text: a head and a place are one number.
constexpr int64_t kPlaces = int64_t{1} << 20;

at::Tensor by_head(const at::Tensor& x_LC, int64_t heads) {
  return x_LC.view({x_LC.size(0), heads, x_LC.size(1) / heads}).transpose(0, 1);
}

// transformers takes the root in float32 whatever the model is in.
double scale_of(int64_t width, int64_t terms) {
  return 1.0 / static_cast<double>(std::sqrt(static_cast<float>(width * terms)));
}

// One sequence: L keys and values, Q queries.
struct Sequence {
  at::Tensor q_HQD, k_HLD, v_HLD;
  at::Tensor places_Q;  // int64: of the queries among the keys
  at::Tensor draw_1;    // int64 [1]
};

// The table's rows that the distances of L tokens have, as queries and keys see them.
struct Positions {
  at::Tensor query_HRD, key_HRD;
  at::Tensor rows_2L;  // int64: of each distance, among these
};

// Whether an adapter of the layer drops some of the rows that it is given.
bool has_dropout(const Linear& layer) { return layer.adapter && layer.adapter->dropout.p > 0; }

at::Tensor attended(const Sequence& text, const Positions& far, const DisentangledAttention& how, double scale) {
  const int64_t heads = text.k_HLD.size(0), length = text.k_HLD.size(1), asked = text.q_HQD.size(1);
  at::Tensor scores_HQL = at::matmul(text.q_HQD, text.k_HLD.transpose(1, 2) * scale);
  // Row of the distance from each query to each key.
  const at::Tensor keys_L = at::arange(length, text.places_Q.options());
  const at::Tensor distances_QL = text.places_Q.unsqueeze(1) - keys_L.unsqueeze(0) + (length - 1);
  const at::Tensor rows_QL = far.rows_2L.index_select(0, distances_QL.flatten()).view({asked, length});
  if (how.content_to_position) {
    const at::Tensor all_HQR = at::matmul(text.q_HQD, far.key_HRD.transpose(1, 2));
    scores_HQL = scores_HQL + at::gather(all_HQR, 2, rows_QL.unsqueeze(0).expand({heads, asked, length})) * scale;
  }
  if (how.position_to_content) {
    const at::Tensor all_HLR = at::matmul(text.k_HLD, far.query_HRD.transpose(1, 2));
    const at::Tensor seen_HLQ = at::gather(all_HLR, 2, rows_QL.t().unsqueeze(0).expand({heads, length, asked}));
    scores_HQL = scores_HQL + seen_HLQ.transpose(1, 2) * scale;
  }
  at::Tensor likely_HQL = at::softmax(scores_HQL, 2);
  if (how.probabilities.p > 0) {
    const at::Tensor heads_H1 = at::arange(heads, text.places_Q.options()).unsqueeze(1) * kPlaces;
    const at::Tensor places = (heads_H1 + text.places_Q.unsqueeze(0)).flatten();
    likely_HQL = keyed_dropout(likely_HQL.flatten(0, 1), how.probabilities.key,
                               text.draw_1.expand(heads * asked).contiguous(), places, how.probabilities.p)
                     .view({heads, asked, length});
  }
  return at::matmul(likely_HQL, text.v_HLD).transpose(0, 1).reshape({asked, -1});
}

}  // namespace

at::Tensor DistanceRows::of_length(int64_t length) const {
  const at::Tensor distances = at::arange(1 - length, length, at::kLong);
  at::Tensor rows = distances;
  if (buckets > 0) {
    const int64_t middle = buckets / 2;
    const at::Tensor far = at::abs(distances).to(at::kFloat).clamp_min(static_cast<double>(middle - 1));
    const at::Tensor widest =
        at::log(at::tensor(static_cast<double>(farthest - 1) / static_cast<double>(middle), at::kFloat));
    const at::Tensor logarithmic =
        at::ceil(at::log(far / middle) / widest * (middle - 1)) + static_cast<double>(middle);
    rows = at::where(at::abs(distances).le(middle), distances.to(at::kFloat), logarithmic * at::sign(distances))
               .to(at::kLong);
  }
  return (rows + span).clamp(0, 2 * span - 1);
}

at::Tensor attend_disentangled(const at::Tensor& q_MC, const at::Tensor& k_NC, const at::Tensor& v_NC,
                               const at::Tensor& table_SC, const BlockRows& rows, const DisentangledAttention& how) {
  const std::vector<int64_t>&keys = rows.inputs.host_offsets,
        &queries = rows.read != nullptr ? rows.read->offsets : rows.inputs.host_offsets;
  const double scale =
      scale_of(q_MC.size(1) / how.heads, 1 + (how.content_to_position ? 1 : 0) + (how.position_to_content ? 1 : 0));
  const at::Tensor host_rows = how.distances.of_length(rows.inputs.most_positions),
                   all_rows = host_rows.to(q_MC.device());
  // Where no row of the table falls, its queries and keys are made once for all sequences.
  const auto positions_of = [&](const at::Tensor& rows_RC, const at::Tensor& draws, const at::Tensor& places) {
    const std::vector<at::Tensor> both = linear(rows_RC, {how.query, how.key}, RowKeys{draws, places});
    return Positions{by_head(both[0], how.heads), by_head(both[1], how.heads), {}};
  };
  const bool falls =
      how.positions.p > 0 || (how.mode == Mode::training && (has_dropout(how.query) || has_dropout(how.key)));
  Positions shared;
  if (!falls) shared = positions_of(table_SC, {}, {});

  std::vector<at::Tensor> out;
  for (size_t b = 0; b + 1 < keys.size(); ++b) {
    const int64_t length = keys[b + 1] - keys[b], asked = queries[b + 1] - queries[b];
    if (asked == 0) continue;
    const at::Tensor draw_1 = rows.inputs.draws_B.narrow(0, static_cast<int64_t>(b), 1);
    const at::Tensor rows_2L = all_rows.narrow(0, rows.inputs.most_positions - length, 2 * length - 1);
    Positions far = shared;
    far.rows_2L = rows_2L;
    if (falls) {  // a sequence's own rows alone
      const int64_t *middle = host_rows.const_data_ptr<int64_t>() + rows.inputs.most_positions - 1,
                    lowest = middle[1 - length], count = middle[length - 1] - lowest + 1;
      const at::Tensor places = at::arange(lowest, lowest + count, draw_1.options()),
                       draws = draw_1.expand(count).contiguous();
      const at::Tensor kept =
          keyed_dropout(table_SC.narrow(0, lowest, count), how.positions.key, draws, places, how.positions.p);
      far = positions_of(kept, draws, places + kPlaces);  // no place of a token: adapters draw both
      far.rows_2L = rows_2L - lowest;
    }
    const auto part = [&](const at::Tensor& x, const std::vector<int64_t>& offsets, int64_t count) {
      return by_head(x.narrow(0, offsets[b], count), how.heads);
    };
    out.push_back(attended({.q_HQD = part(q_MC, queries, asked),
                            .k_HLD = part(k_NC, keys, length),
                            .v_HLD = part(v_NC, keys, length),
                            .places_Q = rows.positions_M().narrow(0, queries[b], asked),
                            .draw_1 = draw_1},
                           far, how, scale));
  }
  return out.empty() ? q_MC : at::cat(out);
}

}  // namespace sft
