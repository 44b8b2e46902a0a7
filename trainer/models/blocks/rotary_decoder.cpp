// The network. B sequences, N packed rows, C channels, H heads over G key heads of width D; in the last block the M
// rows that are read ask and are carried on, while keys and values still come from all N.
#include "trainer/models/blocks/rotary_decoder.h"

#include <ATen/TensorOperators.h>

#include "trainer/models/blocks/block_flops.h"
#include "trainer/models/blocks/gated_mlp.h"

namespace sft {
namespace {

// Each head's width by itself.
at::Tensor norm_of_heads(const at::Tensor& x, const RmsNorm& norm) {
  if (!norm.weight.defined()) return x;
  const int64_t width = norm.weight.size(0);
  return rms_norm(x.view({x.size(0) * (x.size(1) / width), width}), norm).view(x.sizes());
}

}  // namespace

at::Tensor RotaryDecoder::embedding(const TextInputs& inputs, Mode) {
  return embed(tables_, inputs.tokens_N, inputs.positions_N, inputs.segments_N);
}

at::Tensor RotaryDecoder::attended(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) {
  const RotaryBlock& block = blocks_[static_cast<size_t>(stage - 1)];
  const at::Tensor normed_NC = rms_norm(x_NC, block.input_norm);
  const RowKeys keys_M = row_keys(mode, rows.draws_M(), rows.positions_M());
  const auto [q, k, v] = rows.projected(normed_NC, rows.of(normed_NC), block.query, block.key, block.value, mode);
  const Rotated turned = rotate(norm_of_heads(q, block.query_norm), norm_of_heads(k, block.key_norm),
                                rows.positions_M(), rows.inputs.positions_N, angles_.up_to(rows.inputs.most_positions));
  const Attention how{.heads = shape_.heads,
                      .key_heads = shape_.key_heads,
                      .causal = true,
                      .window = shape_.window,
                      .dropout = dropout(mode, stage, "self_attn", shape_.attention_dropout)};
  return linear(rows.attended(stage, turned.q, turned.k, v, how), block.attention_output, keys_M);
}

at::Tensor RotaryDecoder::block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) {
  const RotaryBlock& block = blocks_[static_cast<size_t>(stage - 1)];
  const RowKeys keys_M = row_keys(mode, rows.draws_M(), rows.positions_M());
  const NormedSum middle = add_rms_norm(attended(stage, x_NC, rows, mode), rows.of(x_NC), block.output_norm);
  const std::vector<at::Tensor> inner = linear(middle.normed, {block.gate, block.up}, keys_M);
  const at::Tensor out = linear(gated(shape_.activation, inner[0], inner[1]), block.down, keys_M);
  return stage == num_blocks() ? add_rms_norm(out, middle.sum, final_norm_).normed : out + middle.sum;
}

double RotaryDecoder::flops(int64_t tokens, int64_t read) const {
  const auto channels = static_cast<double>(shape_.width), inner = static_cast<double>(shape_.inner),
             of_queries = static_cast<double>(shape_.heads * shape_.head_width),
             of_keys = static_cast<double>(shape_.key_heads * shape_.head_width);
  const double keys_and_values = 4 * channels * of_keys, rest = 4 * channels * of_queries + 6 * channels * inner;
  return block_flops(num_blocks(), tokens, read, {.of_all = keys_and_values, .of_read = rest});
}

}  // namespace sft
