#include "trainer/models/blocks/post_norm_pair.h"

#include <ATen/TensorOperators.h>

#include <cmath>

namespace sft {

at::Tensor PostNormPair::embedding(Side side, const TextInputs& inputs, Mode mode) {
  const EmbeddingTables& tables = side == Side::source ? source_ : target_;
  const at::Tensor words_NC = embed(tables, inputs.tokens_N, inputs.positions_N, inputs.segments_N);
  const double scale = config_.scales_embedding ? std::sqrt(static_cast<double>(config_.width)) : 1.0;
  const at::Tensor placed_NC = placed(side, words_NC * scale, inputs);
  const BlockRows rows{.inputs = inputs};
  const BlockAtWork here{rows, stage_of(side, -1), mode};
  return here.dropped(placed_NC, dropout(mode, here.stage, "embeddings", config_.dropout));
}

at::Tensor PostNormPair::encoder_block(int64_t i, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) {
  const PostNormBlock& block = encoder_[static_cast<size_t>(i)];
  const BlockAtWork here{rows, stage_of(Side::source, i), mode};
  const at::Tensor own_NC =
      self_attention(block.self, x_NC, heads_of(config_.encoder, "self.probabilities", here), here);
  return mlp(block, closed(own_NC, block.self.output, x_NC, block.self_norm, "self", here), here);
}

at::Tensor PostNormPair::decoder_block(int64_t i, const at::Tensor& x_NC, const at::Tensor& source_NC,
                                       const PairRows& rows, Mode mode) {
  const PostNormBlock& block = decoder_[static_cast<size_t>(i)];
  const BlockAtWork here{rows.targets, stage_of(Side::target, i), mode};
  Attention how = heads_of(config_.decoder, "self.probabilities", here);
  how.causal = true;
  const at::Tensor own_MC = self_attention(block.self, x_NC, how, here);
  const at::Tensor first_MC = closed(own_MC, block.self.output, rows.targets.of(x_NC), block.self_norm, "self", here);
  const at::Tensor read_MC = cross_attention(block.cross, first_MC, source_NC,
                                             heads_of(config_.decoder, "cross.probabilities", here), rows, here);
  return mlp(block, closed(read_MC, block.cross.output, first_MC, block.cross_norm, "cross", here), here);
}

Attention PostNormPair::heads_of(const PostNormSide& side, const char* place, const BlockAtWork& here) const {
  return {.heads = side.heads,
          .key_heads = side.heads,
          .dropout = dropout(here.mode, here.stage, place, config_.attention_dropout)};
}

// The end of each part of a block: the bias of the layer that made x, dropout, the residual sum and its norm.
at::Tensor PostNormPair::closed(const at::Tensor& x_MC, const Linear& layer, const at::Tensor& residual_MC,
                                const LayerNorm& norm, const char* place, const BlockAtWork& here) const {
  return add_norm(x_MC, layer.bias, residual_MC, norm, dropout(here.mode, here.stage, place, config_.dropout),
                  here.rows.draws_M(), here.rows.positions_M());
}

at::Tensor PostNormPair::mlp(const PostNormBlock& block, const at::Tensor& x_MC, const BlockAtWork& here) const {
  const at::Tensor hidden_MI =
      activate(config_.activation, linear(x_MC, block.inner.without_bias(), here.keys_M()), block.inner.bias);
  const at::Tensor left_MI =
      here.dropped(hidden_MI, dropout(here.mode, here.stage, "mlp.hidden", config_.activation_dropout));
  return closed(linear(left_MI, block.output.without_bias(), here.keys_M()), block.output, x_MC, block.mlp_norm, "mlp",
                here);
}

}  // namespace sft
