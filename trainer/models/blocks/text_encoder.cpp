// The network. B sequences, N packed rows, C channels; in the last block the M rows that are read ask and are carried
// on, while keys and values still come from all N.
#include "trainer/models/blocks/text_encoder.h"

#include <ATen/ops/layer_norm.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <stdexcept>

#include "trainer/models/blocks/attention.h"
#include "trainer/models/blocks/block_flops.h"
#include "trainer/models/blocks/dropout.h"

namespace sft {

at::Tensor TextEncoder::stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) {
  const TextInputs& text = text_of(inputs);
  if (s == 0) return embedding(text, mode);
  const bool reads_few = s == num_blocks() && text.read;
  const int64_t pass = std::max(s - 1, 0) % shape_.blocks_sharing_weights;
  return block(s, x, {.inputs = text, .read = reads_few ? &*text.read : nullptr, .pass = pass}, mode);
}

at::Tensor TextEncoder::features(const at::Tensor& x) const { return x.to(at::typeMetaToScalarType(options_.dtype())); }

at::Tensor TextEncoder::embedding(const TextInputs& inputs, Mode mode) const {
  const at::Tensor sum_NC = embed(tables_, inputs.tokens_N, position_rows(inputs), inputs.segments_N);
  const at::Tensor x_NC =
      at::layer_norm(sum_NC, {sum_NC.size(1)}, embedding_norm_.weight, embedding_norm_.bias, embedding_norm_.eps);
  const Dropout fall = dropout(mode, 0, "embeddings", shape_.hidden_dropout);
  const at::Tensor kept_NC = keyed_dropout(x_NC, fall.key, inputs.draws_N, inputs.positions_N, fall.p).to(flow_type_);
  if (!projection_.weight.defined()) return kept_NC;
  return linear(kept_NC, projection_, row_keys(mode, inputs.draws_N, inputs.positions_N));
}

at::Tensor TextEncoder::block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) const {
  const EncoderBlock& block = blocks_[static_cast<size_t>((stage - 1) / shape_.blocks_sharing_weights)];
  const at::Tensor x_MC = rows.of(x_NC);
  const at::Tensor &draws_M = rows.draws_M(), &positions_M = rows.positions_M();
  const RowKeys keys_M = rows.keys_M(mode);
  const at::Tensor read_MC =
      attended(stage, block, rows.projected(x_NC, x_MC, block.query, block.key, block.value, mode), rows, mode);

  // The biases of both output layers and of the intermediate one are added by what follows the product.
  const at::Tensor attended_MC = add_norm(
      linear(read_MC, block.attention_output.without_bias(), keys_M), block.attention_output.bias, x_MC,
      block.attention_norm, dropout(mode, stage, "attention.output", shape_.hidden_dropout), draws_M, positions_M);
  const at::Tensor hidden_MI = activate(
      shape_.activation, linear(attended_MC, block.intermediate.without_bias(), keys_M), block.intermediate.bias);
  return add_norm(
      linear(hidden_MI, block.output.without_bias(), keys_M), block.output.bias, attended_MC, block.output_norm,
      dropout(mode, stage, "output", shape_.output_dropout.value_or(shape_.hidden_dropout)), draws_M, positions_M);
}

at::Tensor TextEncoder::attended(int stage, const EncoderBlock&, const BlockRows::Projected& made,
                                 const BlockRows& rows, Mode mode) const {
  return rows.attended(stage, made.q_M, made.k_N, made.v_N,
                       {.heads = shape_.heads,
                        .key_heads = shape_.heads,
                        .dropout = dropout(mode, stage, "attention.self", shape_.attention_dropout)});
}

void TextEncoder::compute_in(at::ScalarType type) {
  if (!options_.device().is_cpu()) flow_type_ = type;
  if (projection_.weight.defined()) narrow_.add(projection_, type);
  for (EncoderBlock& block : blocks_)
    for (Linear* layer :
         {&block.query, &block.key, &block.value, &block.attention_output, &block.intermediate, &block.output})
      narrow_.add(*layer, type);
}

at::Tensor TextEncoder::pool(const at::Tensor& first_BC, const RowKeys& keys) {
  if (!has_pooler()) throw std::logic_error(names_.prefix + " has no pooler");
  return at::tanh(linear(first_BC, pooler_, keys));
}

Dropout TextEncoder::dropout(Mode mode, int stage, const char* place, double p) const {
  return {dropout_key(dropout_seed_, place, stage), mode == Mode::training ? p : 0.0};
}

// The last block asks and goes on with the rows that are read, over keys and values of all.
double TextEncoder::flops(int64_t tokens, int64_t read) const {
  const double channels = static_cast<double>(shape_.width), inner = static_cast<double>(shape_.inner);
  const double keys_and_values = 4 * channels * channels, rest = 4 * channels * channels + 4 * channels * inner;
  const double projected = projection_.weight.defined()
                               ? 2 * static_cast<double>(tokens) * static_cast<double>(projection_.weight.numel())
                               : 0.0;
  return projected + block_flops(num_blocks(), tokens, read, {.of_all = keys_and_values, .of_read = rest});
}

}  // namespace sft
