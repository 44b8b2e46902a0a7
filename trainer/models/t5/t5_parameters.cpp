// The parameters, by transformers' names and started as there.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/t5/t5.h"
#include "trainer/models/t5/t5_network.h"

namespace sft {
namespace {

EncoderDecoderFacts facts_of(const T5Config& config) {
  const int64_t mlp = (config.is_gated ? 3 : 2) * config.width * config.inner;
  return {.vocab_size = config.vocab_size,
          .target_vocab_size = config.vocab_size,
          .width = config.width,
          .attention_width = config.attention_width(),
          .encoder_blocks = config.encoder_blocks,
          .decoder_blocks = config.decoder_blocks,
          .encoder_mlp = mlp,
          .decoder_mlp = mlp,
          .start_id = config.start_id,
          .initializer_range = config.initializer_factor,
          .prefix = "",
          .language_model = config.is_multilingual ? "MT5ForConditionalGeneration" : "T5ForConditionalGeneration"};
}

// Weights are normal of one over the root of so many inputs.
double of_inputs(int64_t inputs) { return 1 / std::sqrt(static_cast<double>(inputs)); }

}  // namespace

T5::T5(nlohmann::json content, const T5Config& config, const ModelSettings& settings)
    : EncoderDecoder(std::move(content), facts_of(config), settings),
      config_(config),
      is_tied_(std::ranges::find(settings.file_names, "lm_head.weight") == settings.file_names.end()),
      encoder_{.buckets = {{config.buckets, config.max_distance, true}, settings.device}},
      decoder_{.buckets = {{config.buckets, config.max_distance, false}, settings.device}} {
  require_memory_for(num_parameters(), options(),
                     concat("a vocabulary of ", config.vocab_size, " and ", config.encoder_blocks, " + ",
                            config.decoder_blocks, " layers of ", config.width, " and ", config.inner, " channels"));
  ParameterBuilder build = builder("", config.initializer_factor);
  tables_.word_VC = build.table("shared", config.vocab_size, config.width, -1, 0);
  make_side(build, Side::source);
  make_side(build, Side::target);
}

void T5::make_side(ParameterBuilder& build, Side side) {
  const std::string name = side == Side::source ? "encoder." : "decoder.";
  T5Side& made = side_of(side);
  const int64_t blocks = side == Side::source ? config_.encoder_blocks : config_.decoder_blocks;
  made.blocks.resize(static_cast<size_t>(blocks));
  for (int64_t i = 0; i < blocks; ++i) {
    make_block(build, side, i);
    if (i == 0)
      made.bias_KH = build.bias_table(name + "block.0.layer.0.SelfAttention.relative_attention_bias", config_.buckets,
                                      config_.heads, of_inputs(config_.width), stage_of(side, 0));
  }
  made.final_norm =
      build.rms_norm(name + "final_layer_norm", config_.width, config_.norm_eps, stage_of(side, blocks - 1));
}

void T5::make_block(ParameterBuilder& build, Side side, int64_t i) {
  T5Block& block = side_of(side).blocks[static_cast<size_t>(i)];
  const int stage = stage_of(side, i);
  const bool crosses = side == Side::target;
  const std::string name = concat(crosses ? "decoder" : "encoder", ".block.", i, ".layer."),
                    mlp = name + (crosses ? "2." : "1.");
  const auto norm = [&](const std::string& layer) {
    return build.rms_norm(layer + "layer_norm", config_.width, config_.norm_eps, stage);
  };
  make_attention(build, name + "0.SelfAttention.", stage, block.self);
  block.self_norm = norm(name + "0.");
  if (crosses) {
    make_attention(build, name + "1.EncDecAttention.", stage, block.cross);
    block.cross_norm = norm(name + "1.");
  }
  const auto layer = [&](Linear& into, const char* part, int64_t out, int64_t in) {
    into =
        build.linear(mlp + "DenseReluDense." + part, out, in, stage, {.is_biased = false, .narrowed = of_inputs(in)});
    add_layer(into);
  };
  if (config_.is_gated) layer(block.gate, "wi_0", config_.inner, config_.width);
  layer(block.inner, config_.is_gated ? "wi_1" : "wi", config_.inner, config_.width);
  layer(block.output, "wo", config_.width, config_.inner);
  block.mlp_norm = norm(mlp);
}

void T5::make_attention(ParameterBuilder& build, const std::string& name, int stage, AttentionLayers& layers) {
  const int64_t channels = config_.width, inner = config_.attention_width();
  const auto layer = [&](Linear& into, const char* part, int64_t out, int64_t in, int64_t inputs) {
    into = build.linear(name + part, out, in, stage, {.is_biased = false, .narrowed = of_inputs(inputs)});
    add_layer(into);
  };
  layer(layers.query, "q", inner, channels, channels * config_.head_width);
  layer(layers.key, "k", inner, channels, channels);
  layer(layers.value, "v", inner, channels, channels);
  layer(layers.output, "o", channels, inner, inner);
}

// Tables of either side are copies of the shared one; 1.0's first files had a bias that nobody read.
std::string T5::canonical(const std::string& file_name) const {
  for (const char* leftover : {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
                               "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"})
    if (file_name == leftover) return "";
  return is_tied_ && file_name == "lm_head.weight" ? "" : file_name;
}

std::unique_ptr<Model> make_t5(nlohmann::json content, const ModelSettings& settings) {
  const T5Config config = read_t5_config(content);
  return std::make_unique<T5>(std::move(content), config, settings);
}

}  // namespace sft
