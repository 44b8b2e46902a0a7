#include "trainer/models/gpt2/gpt2.h"

#include <ATen/TensorOperators.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/text.h"
#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/block_flops.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/layer_norm.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/blocks/text_decoder.h"
#include "trainer/models/gpt2/gpt2_config.h"

namespace sft {
namespace {

struct Gpt2Block {
  LayerNorm input_norm, output_norm;  // in front of attention, and of the MLP
  Linear query_key_value, attention_output, inner, output;
};

DecoderFacts facts_of(const Gpt2Config& config) {
  return {.vocab_size = config.vocab_size,
          .positions = config.positions,
          .width = config.width,
          .blocks = config.blocks,
          .initializer_range = config.initializer_range,
          .is_tied = config.is_tied,
          .prefix = "transformer.",
          .architecture = "GPT2",
          .language_model = "GPT2LMHeadModel",
          .token_head = "classifier",
          .token_head_dropout = config.token_head_dropout};
}

// B sequences, N packed rows, C channels; M rows that are carried on in the last block.
class Gpt2 final : public TextDecoder {
 public:
  Gpt2(nlohmann::json content, const Gpt2Config& config, const ModelSettings& settings)
      : TextDecoder(std::move(content), facts_of(config), settings), config_(config) {
    const auto channels = static_cast<double>(config.width);
    require_memory_for(
        channels * static_cast<double>(config.vocab_size + config.positions) +
            static_cast<double>(config.blocks) * (4 * channels + 2 * static_cast<double>(config.inner)) * channels,
        settings.held_options(),
        concat("a vocabulary of ", config.vocab_size, " and ", config.blocks, " layers of ", config.width, " and ",
               config.inner, " channels"));
    ParameterBuilder build = builder();
    tables_.word_VC = build.table("wte", config.vocab_size, config.width, -1, 0);
    tables_.position_PC = build.table("wpe", config.positions, config.width, -1, 0);
    tables_.type = settings.dtype;
    blocks_.resize(static_cast<size_t>(config.blocks));
    for (int64_t i = 0; i < config.blocks; ++i) make_block(build, i);
    final_norm_ = build.norm("ln_f", config.width, config.norm_eps, num_blocks());
  }

  at::Tensor output_embedding() const override { return config_.is_tied ? tables_.word_VC : at::Tensor(); }

  // One product makes queries, keys and values, so all rows ask.
  double flops(int64_t tokens, int64_t read) const override {
    const auto channels = static_cast<double>(config_.width), inner = static_cast<double>(config_.inner);
    const double first = 6 * channels * channels, rest = 2 * channels * channels + 4 * channels * inner;
    return block_flops(num_blocks(), tokens, read, {.of_all = first, .of_read = rest});
  }

 protected:
  at::Tensor embedding(const TextInputs& inputs, Mode mode) override {
    const at::Tensor sum_NC = embed(tables_, inputs.tokens_N, inputs.positions_N, inputs.segments_N);
    const Dropout fall = dropout(mode, 0, "embeddings", config_.embedding_dropout);
    return keyed_dropout(sum_NC, fall.key, inputs.draws_N, inputs.positions_N, fall.p);
  }

  at::Tensor block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) override {
    const Gpt2Block& block = blocks_[static_cast<size_t>(stage - 1)];
    const auto dropped = [&](const at::Tensor& x_MC, const char* place) {
      const Dropout fall = dropout(mode, stage, place, config_.residual_dropout);
      return keyed_dropout(x_MC, fall.key, rows.draws_M(), rows.positions_M(), fall.p);
    };
    const RowKeys keys_N = row_keys(mode, rows.inputs.draws_N, rows.inputs.positions_N);
    const RowKeys keys_M = row_keys(mode, rows.draws_M(), rows.positions_M());
    const std::vector<at::Tensor> parts =
        linear(layer_normed(x_NC, block.input_norm), block.query_key_value, keys_N).chunk(3, 1);
    const Attention how{.heads = config_.heads,
                        .key_heads = config_.heads,
                        .causal = true,
                        .dropout = dropout(mode, stage, "attn", config_.attention_dropout)};
    const at::Tensor read_MC = rows.attended(stage, rows.of(parts[0]), parts[1], parts[2], how);
    const at::Tensor middle_MC =
        dropped(linear(read_MC, block.attention_output, keys_M), "attn.c_proj") + rows.of(x_NC);

    const at::Tensor hidden_MI = activate(
        config_.activation, linear(layer_normed(middle_MC, block.output_norm), block.inner.without_bias(), keys_M),
        block.inner.bias);
    const at::Tensor y_MC = dropped(linear(hidden_MI, block.output, keys_M), "mlp.c_proj") + middle_MC;
    return stage == num_blocks() ? layer_normed(y_MC, final_norm_) : y_MC;
  }

  bool is_base_name(const std::string& name) const override {
    for (const char* part : {"wte.", "wpe.", "h.", "ln_f."})
      if (name.starts_with(part)) return true;
    return false;
  }

  // Masks of old files: a triangle of ones, and what it hides.
  bool is_leftover(const std::string& name) const override {
    return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
  }

 private:
  void make_block(ParameterBuilder& build, int64_t i) {
    Gpt2Block& block = blocks_[static_cast<size_t>(i)];
    const int stage = static_cast<int>(i) + 1;
    const std::string name = concat("h.", i, ".");
    // What is added to the residual stream starts smaller, by the number of such layers.
    const LinearTraits form{.is_transposed_in_files = true},
        narrowed{.is_transposed_in_files = true, .narrowed = 1 / std::sqrt(2 * static_cast<double>(config_.blocks))};
    block.input_norm = build.norm(name + "ln_1", config_.width, config_.norm_eps, stage);
    block.query_key_value = build.linear(name + "attn.c_attn", 3 * config_.width, config_.width, stage, form);
    block.attention_output = build.linear(name + "attn.c_proj", config_.width, config_.width, stage, narrowed);
    block.output_norm = build.norm(name + "ln_2", config_.width, config_.norm_eps, stage);
    block.inner = build.linear(name + "mlp.c_fc", config_.inner, config_.width, stage, form);
    block.output = build.linear(name + "mlp.c_proj", config_.width, config_.inner, stage, narrowed);
    for (Linear* each : {&block.query_key_value, &block.attention_output, &block.inner, &block.output})
      add_layer(*each);
  }

  Gpt2Config config_;
  EmbeddingTables tables_;
  std::vector<Gpt2Block> blocks_;
  LayerNorm final_norm_;
};

}  // namespace

std::unique_ptr<Model> make_gpt2(nlohmann::json content, const ModelSettings& settings) {
  const Gpt2Config config = read_gpt2_config(content);
  return std::make_unique<Gpt2>(std::move(content), config, settings);
}

}  // namespace sft
