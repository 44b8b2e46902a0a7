#include "trainer/models/blocks/pair_rows.h"

#include <vector>

#include "trainer/models/blocks/dropout.h"

namespace sft {

// Places matter to dropout alone, where only some rows ask.
at::Tensor PairRows::over_sources(int stage, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                  Attention how) const {
  how.queries = targets.read != nullptr ? &targets.read->offsets : &inputs.target.host_offsets;
  how.keys = &inputs.source.host_offsets;
  how.draws_B = inputs.target.draws_B;
  how.groups = &inputs.crossed;
  if (inputs.kept_sources == nullptr) return attend(q, k, v, how);
  const KeyValueCache::Kept kept = inputs.kept_sources->append(stage, k, v);
  how.keys = kept.begins;
  how.key_ends = kept.ends;
  return attend(q, kept.k, kept.v, how);
}

at::Tensor BlockAtWork::dropped(const at::Tensor& x_MC, const Dropout& dropout) const {
  return keyed_dropout(x_MC, dropout.key, rows.draws_M(), rows.positions_M(), dropout.p);
}

at::Tensor self_attention(const AttentionLayers& layers, const at::Tensor& x_NC, const Attention& how,
                          const BlockAtWork& here) {
  const auto [q_MC, k_NC, v_NC] =
      here.rows.projected(x_NC, here.rows.of(x_NC), layers.query, layers.key, layers.value, here.mode);
  return linear(here.rows.attended(here.stage, q_MC, k_NC, v_NC, how), layers.output.without_bias(), here.keys_M());
}

at::Tensor cross_attention(const AttentionLayers& layers, const at::Tensor& x_MC, const at::Tensor& source_NC,
                           const Attention& how, const PairRows& rows, const BlockAtWork& here) {
  const TextInputs& source = rows.inputs.source;
  const at::Tensor q_MC = linear(x_MC, layers.query, here.keys_M());
  const std::vector<at::Tensor> both =
      linear(source_NC, {layers.key, layers.value}, row_keys(here.mode, source.draws_N, source.positions_N));
  return linear(rows.over_sources(here.stage, q_MC, both[0], both[1], how), layers.output.without_bias(),
                here.keys_M());
}

}  // namespace sft
