#include "trainer/models/xlnet/relative_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/sequence_rows.h"

namespace sft {
namespace {

// Keys that distances make: where no row falls those of the longest text, which has all, else text after text.
struct DistanceKeys {
  at::Tensor keys_RC;
  std::vector<int64_t> first;  // of each text
};

DistanceKeys distance_keys(const std::vector<SequenceRows>& texts, DistanceSines& sines, int64_t longest,
                           at::ScalarType type, const RelativeAttention& how) {
  DistanceKeys made;
  if (how.distances.p == 0) {
    made.keys_RC = linear(sines.of_length(longest).to(type), how.distance);
    for (const SequenceRows& text : texts) made.first.push_back(longest - text.length);
    return made;
  }
  std::vector<at::Tensor> rows, draws, places;
  int64_t count = 0;
  for (const SequenceRows& text : texts) {
    made.first.push_back(count);
    rows.push_back(sines.of_length(text.length));
    draws.push_back(text.draw_1.expand(rows.back().size(0)));
    places.push_back(at::arange(1 - text.length, text.length, text.draw_1.options()) + BlockRows::kPlaces);
    count += rows.back().size(0);
  }
  if (texts.empty()) return made;
  const at::Tensor rows_RC =
      keyed_dropout(at::cat(rows).to(type), how.distances.key, at::cat(draws), at::cat(places), how.distances.p);
  made.keys_RC = linear(rows_RC, how.distance);
  return made;
}

}  // namespace

at::Tensor DistanceSines::of_length(int64_t length) {
  if (length > longest_) {
    longest_ = std::max(length, 2 * longest_);
    at::Tensor distances = at::arange(1 - longest_, longest_, at::kLong).to(at::kFloat);
    if (farthest_ > 0) distances = distances.clamp(-farthest_, farthest_);
    const at::Tensor step = at::arange(0, width_, 2, at::kLong).to(at::kFloat) / static_cast<double>(width_);
    const at::Tensor angles = distances.unsqueeze(1) * (1 / at::pow(10000, step)).unsqueeze(0);
    rows_ = at::cat({angles.sin(), angles.cos()}, 1).to(options_);
  }
  return rows_.narrow(0, longest_ - length, 2 * length - 1);
}

at::Tensor attend_relative(const at::Tensor& q_MC, const at::Tensor& k_NC, const at::Tensor& v_NC, DistanceSines& sines,
                           const BlockRows& rows, const RelativeAttention& how) {
  const int64_t heads = how.heads, width = q_MC.size(1) / heads;
  const at::ScalarType type = q_MC.scalar_type();
  const double scale = 1 / std::sqrt(static_cast<double>(width));
  const auto biased = [&](const at::Tensor& bias_HD) { return q_MC + bias_HD.to(type).flatten(); };
  const at::Tensor to_content_MC = biased(how.biases.content_HD), to_distance_MC = biased(how.biases.distance_HD);
  // Of each query with the two kinds of segment.
  const at::Tensor segments_HDS = how.biases.segments_2HD.to(type).permute({1, 2, 0});
  const at::Tensor segment_scores_HMS = at::matmul(by_head(biased(how.biases.segment_HD), heads), segments_HDS);

  const std::vector<SequenceRows> texts = asking_sequences(rows);
  const DistanceKeys far = distance_keys(texts, sines, rows.inputs.most_positions, type, how);
  std::vector<at::Tensor> out;
  for (size_t i = 0; i < texts.size(); ++i) {
    const SequenceRows& text = texts[i];
    const int64_t length = text.length, asked = text.asked;
    const at::Tensor contents_HQL =
        at::matmul(text.queries_of(to_content_MC, heads), text.keys_of(k_NC, heads).transpose(1, 2));
    const at::Tensor distances_HRD = by_head(far.keys_RC.narrow(0, far.first[i], 2 * length - 1), heads);
    const at::Tensor all_HQR = at::matmul(text.queries_of(to_distance_MC, heads), distances_HRD.transpose(1, 2));
    const at::Tensor distances_HQL =
        at::gather(all_HQR, 2, text.distances().unsqueeze(0).expand({heads, asked, length}));

    const at::Tensor of_keys_L = rows.inputs.segments_N.narrow(0, text.first_key, length);
    const at::Tensor differs_QL = of_keys_L.index_select(0, text.places_Q).unsqueeze(1).ne(of_keys_L.unsqueeze(0));
    const at::Tensor kinds_HQS = segment_scores_HMS.narrow(1, text.first_query, asked);
    const at::Tensor segments_HQL = at::where(differs_QL, kinds_HQS.narrow(2, 1, 1), kinds_HQS.narrow(2, 0, 1));
    const at::Tensor scores_HQL = (contents_HQL + distances_HQL + segments_HQL) * scale;
    out.push_back(text.attended(scores_HQL, text.keys_of(v_NC, heads), how.probabilities));
  }
  return out.empty() ? q_MC : at::cat(out);
}

}  // namespace sft
