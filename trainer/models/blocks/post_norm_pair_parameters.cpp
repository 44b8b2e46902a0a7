// The parameters, by transformers' names and started as there.
#include <utility>

#include "base/text.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/blocks/post_norm_pair.h"
#include "trainer/models/initialize.h"

namespace sft {
namespace {

EncoderDecoderFacts facts_of(const PostNormConfig& config, const char* language_model) {
  return {.vocab_size = config.vocab_size,
          .target_vocab_size = config.target_vocab_size,
          .positions = config.positions,
          .width = config.width,
          .attention_width = config.width,
          .encoder_blocks = config.encoder.blocks,
          .decoder_blocks = config.decoder.blocks,
          .encoder_mlp = 2 * config.width * config.encoder.inner,
          .decoder_mlp = 2 * config.width * config.decoder.inner,
          .start_id = config.start_id,
          .initializer_range = config.initializer_range,
          .prefix = "model.",
          .language_model = language_model};
}

}  // namespace

PostNormPair::PostNormPair(nlohmann::json content, const PostNormConfig& config, const char* language_model,
                           const ModelSettings& settings)
    : EncoderDecoder(std::move(content), facts_of(config, language_model), settings), config_(config) {
  require_memory_for(
      num_parameters(), options(),
      concat("vocabularies of ", config.vocab_size, " and ", config.target_vocab_size, " and ", config.encoder.blocks,
             " + ", config.decoder.blocks, " layers of ", config.width, " channels"));
  output_bias_1V_ = constant_parameter({1, config.target_vocab_size}, 0.0, options());
}

void PostNormPair::make_words(ParameterBuilder& build, Side side) {
  const bool is_source = side == Side::source, shares = config_.shares_embeddings;
  EmbeddingTables& tables = is_source ? source_ : target_;
  if (!is_source && shares) {
    tables = source_;
    return;
  }
  const std::string name = shares ? "shared" : concat(name_of(side), "embed_tokens");
  const int64_t words = is_source ? config_.vocab_size : config_.target_vocab_size;
  tables.word_VC = build.table(name, words, config_.width, config_.padding_id, stage_of(side, -1));
  tables.padding_id = config_.padding_id;
}

void PostNormPair::make_blocks(ParameterBuilder& build, Side side) {
  const int64_t blocks = (side == Side::source ? config_.encoder : config_.decoder).blocks;
  (side == Side::source ? encoder_ : decoder_).resize(static_cast<size_t>(blocks));
  for (int64_t i = 0; i < blocks; ++i) make_block(build, side, i);
}

void PostNormPair::make_block(ParameterBuilder& build, Side side, int64_t i) {
  const bool crosses = side == Side::target;
  PostNormBlock& block = (crosses ? decoder_ : encoder_)[static_cast<size_t>(i)];
  const int64_t inner = crosses ? config_.decoder.inner : config_.encoder.inner;
  const int stage = stage_of(side, i);
  const std::string name = concat(name_of(side), "layers.", i, ".");
  const auto norm = [&](const char* part) { return build.norm(name + part, config_.width, kNormEps, stage); };
  make_attention(build, name + "self_attn.", stage, block.self);
  block.self_norm = norm("self_attn_layer_norm");
  if (crosses) {
    make_attention(build, name + "encoder_attn.", stage, block.cross);
    block.cross_norm = norm("encoder_attn_layer_norm");
  }
  block.inner = build.linear(name + "fc1", inner, config_.width, stage);
  block.output = build.linear(name + "fc2", config_.width, inner, stage);
  for (Linear* each : {&block.inner, &block.output}) add_layer(*each);
  block.mlp_norm = norm("final_layer_norm");
}

void PostNormPair::make_attention(ParameterBuilder& build, const std::string& name, int stage,
                                  AttentionLayers& layers) {
  const std::pair<Linear*, const char*> parts[] = {
      {&layers.query, "q_proj"}, {&layers.key, "k_proj"}, {&layers.value, "v_proj"}, {&layers.output, "out_proj"}};
  for (const auto& [layer, part] : parts) {
    *layer = build.linear(name + part, config_.width, config_.width, stage);
    add_layer(*layer);
  }
}

Parameters PostNormPair::buffers() const {
  return {{.name = "final_logits_bias", .value = output_bias_1V_, .stage = head_stage(), .decays = false}};
}

// Old files have copies of the shared table and of a tied output layer.
std::string PostNormPair::canonical(const std::string& file_name) const {
  bool is_base = false;
  for (const char* part : {"shared.", "encoder.", "decoder."}) is_base = is_base || file_name.starts_with(part);
  const std::string name = is_base ? prefix() + file_name : file_name;
  const char* const copied = config_.shares_embeddings ? "embed_tokens.weight" : "shared.weight";
  if (name.ends_with(copied)) return "";
  return config_.is_tied && name == "lm_head.weight" ? "" : name;
}

}  // namespace sft
