#include "trainer/models/t5/t5_network.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

#include "trainer/models/blocks/gated_mlp.h"

namespace sft {

at::Tensor T5::embedding(Side side, const TextInputs& inputs, Mode mode) {
  const BlockRows rows{.inputs = inputs};
  return fallen(embed(tables_, inputs.tokens_N, inputs.positions_N, inputs.segments_N), "embeddings",
                {rows, stage_of(side, -1), mode});
}

at::Tensor T5::encoder_block(int64_t i, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) {
  const T5Block& block = encoder_.blocks[static_cast<size_t>(i)];
  const BlockAtWork here{rows, stage_of(Side::source, i), mode};
  const at::Tensor own_NC = self_attention(block.self, rms_norm(x_NC, block.self_norm), over_own(encoder_, here), here);
  const NormedSum middle = add_rms_norm(fallen(own_NC, "self", here), x_NC, block.mlp_norm);
  return closed(Side::source, i, mlp(block, middle.normed, here), middle.sum, here);
}

at::Tensor T5::decoder_block(int64_t i, const at::Tensor& x_NC, const at::Tensor& source_NC, const PairRows& rows,
                             Mode mode) {
  const T5Block& block = decoder_.blocks[static_cast<size_t>(i)];
  const BlockAtWork here{rows.targets, stage_of(Side::target, i), mode};
  Attention how = over_own(decoder_, here);
  how.causal = true;
  const at::Tensor own_MC = self_attention(block.self, rms_norm(x_NC, block.self_norm), how, here);
  const NormedSum first = add_rms_norm(fallen(own_MC, "self", here), rows.targets.of(x_NC), block.cross_norm);
  const at::Tensor read_MC =
      cross_attention(block.cross, first.normed, source_NC, unscaled("cross.probabilities", here), rows, here);
  const NormedSum middle = add_rms_norm(fallen(read_MC, "cross", here), first.sum, block.mlp_norm);
  const at::Tensor y_MC = closed(Side::target, i, mlp(block, middle.normed, here), middle.sum, here);
  if (!is_last(Side::target, i) || !config_.scales_output) return y_MC;
  return y_MC * (1 / std::sqrt(static_cast<double>(config_.width)));
}

at::Tensor T5::fallen(const at::Tensor& x_MC, const char* place, const BlockAtWork& here) const {
  return here.dropped(x_MC, dropout(here.mode, here.stage, place, config_.dropout));
}

// Products of queries and keys are not divided by anything.
Attention T5::unscaled(const char* place, const BlockAtWork& here) const {
  return {.heads = config_.heads,
          .key_heads = config_.heads,
          .scale = 1.0,
          .dropout = dropout(here.mode, here.stage, place, config_.dropout)};
}

// Of rows over those of their own side: with the bias of their distances.
Attention T5::over_own(T5Side& side, const BlockAtWork& here) const {
  Attention how = unscaled("self.probabilities", here);
  const at::Tensor buckets = side.buckets.of(std::max<int64_t>(here.rows.inputs.most_positions, 1));
  how.bias = side.bias_KH.index_select(0, buckets).t().to(flow_type());
  return how;
}

at::Tensor T5::mlp(const T5Block& block, const at::Tensor& x_MC, const BlockAtWork& here) const {
  at::Tensor hidden_MI;
  if (config_.is_gated) {
    const std::vector<at::Tensor> both = linear(x_MC, {block.gate, block.inner}, here.keys_M());
    hidden_MI = gated(config_.activation, both[0], both[1]);
  } else {
    hidden_MI = activate(config_.activation, linear(x_MC, block.inner, here.keys_M()));
  }
  return fallen(linear(fallen(hidden_MI, "mlp.hidden", here), block.output, here.keys_M()), "mlp", here);
}

// The residual sum that ends a block, and behind a side's last block its norm.
at::Tensor T5::closed(Side side, int64_t block, const at::Tensor& x_MC, const at::Tensor& residual_MC,
                      const BlockAtWork& here) {
  if (!is_last(side, block)) return x_MC + residual_MC;
  return fallen(add_rms_norm(x_MC, residual_MC, side_of(side).final_norm).normed, "final", here);
}

}  // namespace sft
