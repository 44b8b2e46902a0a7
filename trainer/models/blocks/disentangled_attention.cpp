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
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <utility>
#include <vector>

#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/low_rank.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/models/blocks/sequence_rows.h"

namespace sft {
namespace {

// transformers takes the root in float32 whatever the model is in.
double scale_of(int64_t width, int64_t terms) {
  return 1.0 / static_cast<double>(std::sqrt(static_cast<float>(width * terms)));
}

// The table's rows that the distances of L tokens have, as queries and keys see them.
struct Positions {
  at::Tensor query_HRD, key_HRD;
  at::Tensor rows_2L;  // int64: of each distance, among these
};

// Whether an adapter of the layer drops some of the rows that it is given.
bool has_dropout(const Linear& layer) { return layer.adapter && layer.adapter->dropout.p > 0; }

at::Tensor scores_of(const SequenceRows& text, const at::Tensor& q_HQD, const at::Tensor& k_HLD, const Positions& far,
                     const DisentangledAttention& how, double scale) {
  const int64_t heads = how.heads, length = text.length, asked = text.asked;
  at::Tensor scores_HQL = at::matmul(q_HQD, k_HLD.transpose(1, 2) * scale);
  // Row of the distance from each query to each key.
  const at::Tensor rows_QL = far.rows_2L.index_select(0, text.distances().flatten()).view({asked, length});
  if (how.content_to_position) {
    const at::Tensor all_HQR = at::matmul(q_HQD, far.key_HRD.transpose(1, 2));
    scores_HQL = scores_HQL + at::gather(all_HQR, 2, rows_QL.unsqueeze(0).expand({heads, asked, length})) * scale;
  }
  if (how.position_to_content) {
    const at::Tensor all_HLR = at::matmul(k_HLD, far.query_HRD.transpose(1, 2));
    const at::Tensor seen_HLQ = at::gather(all_HLR, 2, rows_QL.t().unsqueeze(0).expand({heads, length, asked}));
    scores_HQL = scores_HQL + seen_HLQ.transpose(1, 2) * scale;
  }
  return scores_HQL;
}

// Queries and keys of the table's rows, made in one product: where no row falls, once for all sequences, else of the
// rows that each sequence has distances for, by its draw.
class SeenTable {
 public:
  SeenTable(const std::vector<SequenceRows>& texts, const at::Tensor& table_SC, int64_t longest,
            const DisentangledAttention& how, bool falls)
      : heads_(how.heads),
        longest_(longest),
        host_rows_(how.distances.of_length(longest)),
        rows_(sent(host_rows_, host_rows_.options().device(table_SC.device()))) {
    std::vector<at::Tensor> kept, draws, places;
    for (const SequenceRows& text : texts) {
      const auto [lowest, count] = falls ? range_of(text.length) : std::pair{int64_t{0}, table_SC.size(0)};
      texts_.push_back({.length = text.length, .lowest = lowest, .first = falls ? num_rows_ : 0, .count = count});
      if (!falls) continue;
      kept.push_back(table_SC.narrow(0, lowest, count));
      draws.push_back(text.draw_1.expand(count));
      places.push_back(at::arange(lowest, lowest + count, text.draw_1.options()));
      num_rows_ += count;
    }
    if (!falls || texts.empty()) {
      see(table_SC, how, {});
      return;
    }
    const at::Tensor draws_R = at::cat(draws), places_R = at::cat(places);
    const at::Tensor rows_RC = keyed_dropout(at::cat(kept), how.positions.key, draws_R, places_R, how.positions.p);
    see(rows_RC, how, {draws_R, places_R + BlockRows::kPlaces});  // no place of a token: adapters draw both
  }

  Positions of(size_t i) const {
    const Text& text = texts_[i];
    const auto part = [&](const at::Tensor& x_RC) { return by_head(x_RC.narrow(0, text.first, text.count), heads_); };
    return {part(query_RC_), part(key_RC_), rows_.narrow(0, longest_ - text.length, 2 * text.length - 1) - text.lowest};
  }

 private:
  struct Text {
    int64_t length, lowest, first, count;  // rows of the table from `lowest` on stand from `first` on
  };

  std::pair<int64_t, int64_t> range_of(int64_t length) const {
    const int64_t* middle = host_rows_.const_data_ptr<int64_t>() + longest_ - 1;
    return {middle[1 - length], middle[length - 1] - middle[1 - length] + 1};
  }
  void see(const at::Tensor& rows_RC, const DisentangledAttention& how, const RowKeys& keys) {
    const std::vector<at::Tensor> both = linear(rows_RC, {how.query, how.key}, keys);
    query_RC_ = both[0];
    key_RC_ = both[1];
  }

  int64_t heads_, longest_, num_rows_ = 0;
  at::Tensor host_rows_, rows_;  // int64 [2 longest − 1]: of each distance
  std::vector<Text> texts_;
  at::Tensor query_RC_, key_RC_;
};

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
  const double scale =
      scale_of(q_MC.size(1) / how.heads, 1 + (how.content_to_position ? 1 : 0) + (how.position_to_content ? 1 : 0));
  const bool falls =
      how.positions.p > 0 || (how.mode == Mode::training && (has_dropout(how.query) || has_dropout(how.key)));
  const std::vector<SequenceRows> texts = asking_sequences(rows);
  const SeenTable seen(texts, table_SC, rows.inputs.most_positions, how, falls);
  std::vector<at::Tensor> out;
  for (size_t i = 0; i < texts.size(); ++i) {
    const SequenceRows& text = texts[i];
    const at::Tensor scores_HQL =
        scores_of(text, text.queries_of(q_MC, how.heads), text.keys_of(k_NC, how.heads), seen.of(i), how, scale);
    out.push_back(text.attended(scores_HQL, text.keys_of(v_NC, how.heads), how.probabilities));
  }
  return out.empty() ? q_MC : at::cat(out);
}

}  // namespace sft
