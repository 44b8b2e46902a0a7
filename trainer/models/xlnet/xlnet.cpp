#include "trainer/models/xlnet/xlnet.h"

#include <ATen/TensorOperators.h>

#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/block_flops.h"
#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/layer_norm.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/blocks/on_device.h"
#include "trainer/models/blocks/text_network.h"
#include "trainer/models/initialize.h"
#include "trainer/models/xlnet/relative_attention.h"
#include "trainer/models/xlnet/xlnet_config.h"

namespace sft {
namespace {

struct XlnetBlock {
  Linear query, key, value, attention_output, distance, inner, output;
  RelativeBiases biases;
  LayerNorm attention_norm, output_norm;
};

// N packed rows, C channels, I inner ones; M rows that are carried on in the last block.
class Xlnet final : public TextNetwork {
 public:
  Xlnet(nlohmann::json content, const XlnetConfig& config, const ModelSettings& settings)
      : TextNetwork(std::move(content), settings),
        config_(config),
        sines_(config.width, config.farthest, options().dtype(wide_type(settings.dtype))),
        mask_({.name = "transformer.mask_emb",
               .value = constant_parameter({1, 1, config.width}, 0.0, options()),
               .decays = false}) {
    const auto channels = static_cast<double>(config.width);
    require_memory_for(
        channels * (static_cast<double>(config.vocab_size) +
                    static_cast<double>(config.blocks) * (5 * channels + 2 * static_cast<double>(config.inner))),
        settings.held_options(),
        concat("a vocabulary of ", config.vocab_size, " and ", config.blocks, " layers of ", config.width, " and ",
               config.inner, " channels"));
    ParameterBuilder build = builder(prefix(), config.initializer_range);
    tables_.word_VC = build.table("word_embedding", config.vocab_size, config.width, -1, 0);
    tables_.type = settings.dtype;
    blocks_.resize(static_cast<size_t>(config.blocks));
    for (int64_t i = 0; i < config.blocks; ++i) make_block(build, i);
  }

  int num_blocks() const override { return static_cast<int>(config_.blocks); }
  int64_t width() const override { return config_.width; }
  // Segments: of the first text, of the second, and that of <cls>.
  std::optional<TextLimits> text_limits() const override {
    return TextLimits{.vocab_size = config_.vocab_size, .max_positions = TextLimits::kUnlimited, .num_segments = 3};
  }
  // Of pretraining alone, kept for transformers, whose class has it.
  Parameters buffers() const override { return {mask_}; }

  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override {
    const TextInputs& text = text_of(inputs);
    if (s == 0) return embedding(text, mode);
    const bool reads_few = s == num_blocks() && text.read;
    return block(s, x, {.inputs = text, .read = reads_few ? &*text.read : nullptr}, mode);
  }

  HeadShape token_head() const override { return {}; }
  HeadShape sequence_head() const override {
    return {.input_dropout = config_.summary_first_dropout,
            .hidden = "sequence_summary.summary",
            .activation = config_.summary_activation,
            .dropout = config_.summary_last_dropout,
            .output = "logits_proj",
            .reads = Reads::last};
  }
  double initializer_range() const override { return config_.initializer_range; }

  // A token brings two distances, of those before it and of those behind.
  double flops(int64_t tokens, int64_t read) const override {
    const auto channels = static_cast<double>(config_.width), inner = static_cast<double>(config_.inner);
    const double first = 8 * channels * channels, rest = 4 * channels * channels + 4 * channels * inner;
    return block_flops(num_blocks(), tokens, read, {.of_all = first, .of_read = rest});
  }

  std::string architecture(const std::string& class_ending) const override {
    for (const char* known : {"ForSequenceClassification", "ForTokenClassification"})
      if (class_ending == known) return "XLNet" + class_ending;
    throw ConfigError(
        concat("model_type xlnet is built for text_classification and token_classification, not for a "
               "class that ends in ",
               class_ending));
  }
  std::string prefix() const override { return "transformer."; }
  std::string canonical(const std::string& file_name) const override {
    for (const char* part : {"word_embedding.", "layer.", "mask_emb"})
      if (file_name.starts_with(part)) return prefix() + file_name;
    return file_name;
  }

 private:
  void make_block(ParameterBuilder& build, int64_t i) {
    XlnetBlock& block = blocks_[static_cast<size_t>(i)];
    const int stage = static_cast<int>(i) + 1;
    const int64_t channels = config_.width, heads = config_.heads, head_width = channels / heads;
    const std::string attention = concat("layer.", i, ".rel_attn."), feed = concat("layer.", i, ".ff.");
    // Files have them as [C, H, D]: channels that come in and heads that go out, of the output layer the other way.
    const auto matrix = [&](const char* name, bool is_transposed) {
      return build.matrix(attention + name, channels, channels, stage,
                          {.is_transposed_in_files = is_transposed, .shape_in_files = {channels, heads, head_width}});
    };
    const auto biases = [&](const char* name) {
      return build.drawn_biases(attention + name, {heads, head_width}, stage);
    };
    block.query = matrix("q", true);
    block.key = matrix("k", true);
    block.value = matrix("v", true);
    block.attention_output = matrix("o", false);
    block.distance = matrix("r", true);
    block.biases.distance_HD = biases("r_r_bias");
    block.biases.segment_HD = biases("r_s_bias");
    block.biases.content_HD = biases("r_w_bias");
    block.biases.segments_2HD = build.drawn(attention + "seg_embed", {2, heads, head_width}, stage);
    block.attention_norm = build.norm(attention + "layer_norm", channels, config_.norm_eps, stage);
    block.output_norm = build.norm(feed + "layer_norm", channels, config_.norm_eps, stage);
    block.inner = build.linear(feed + "layer_1", config_.inner, channels, stage);
    block.output = build.linear(feed + "layer_2", channels, config_.inner, stage);
    for (Linear* each : {&block.query, &block.key, &block.value, &block.attention_output, &block.distance})
      add_matrix(*each);
    for (Linear* each : {&block.inner, &block.output}) add_layer(*each);
  }

  at::Tensor embedding(const TextInputs& inputs, Mode mode) const {
    const at::Tensor x_NC = embed(tables_, inputs.tokens_N, inputs.positions_N, inputs.segments_N);
    const Dropout fall = dropout(mode, 0, "embeddings", config_.dropout);
    return keyed_dropout(x_NC, fall.key, inputs.draws_N, inputs.positions_N, fall.p).to(flow_type());
  }

  at::Tensor block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) {
    const XlnetBlock& block = blocks_[static_cast<size_t>(stage - 1)];
    const at::Tensor x_MC = rows.of(x_NC);
    const at::Tensor &draws_M = rows.draws_M(), &positions_M = rows.positions_M();
    const RowKeys keys_M = rows.keys_M(mode);
    const auto dropped = [&](const at::Tensor& x_M, const char* place) {
      const Dropout fall = dropout(mode, stage, place, config_.dropout);
      return keyed_dropout(x_M, fall.key, draws_M, positions_M, fall.p);
    };
    const BlockRows::Projected made = rows.projected(x_NC, x_MC, block.query, block.key, block.value, mode);
    // The mask of distances is one for all blocks, as in transformers.
    const at::Tensor read_MC =
        attend_relative(made.q_M, made.k_N, made.v_N, sines_, rows,
                        {.heads = config_.heads,
                         .biases = block.biases,
                         .distance = block.distance,
                         .distances = dropout(mode, 0, "distances", config_.dropout),
                         .probabilities = dropout(mode, stage, "rel_attn.probabilities", config_.dropout)});
    const at::Tensor attended_MC =
        layer_normed(dropped(linear(read_MC, block.attention_output), "rel_attn.o") + x_MC, block.attention_norm);
    const at::Tensor hidden_MI =
        dropped(activate(config_.activation, linear(attended_MC, block.inner.without_bias(), keys_M), block.inner.bias),
                "ff.layer_1");
    const at::Tensor y_MC =
        add_norm(linear(hidden_MI, block.output.without_bias(), keys_M), block.output.bias, attended_MC,
                 block.output_norm, dropout(mode, stage, "ff.layer_2", config_.dropout), draws_M, positions_M);
    return stage == num_blocks() ? dropped(y_MC, "output") : y_MC;
  }

  XlnetConfig config_;
  DistanceSines sines_;
  Parameter mask_;
  EmbeddingTables tables_;
  std::vector<XlnetBlock> blocks_;
};

}  // namespace

std::unique_ptr<Model> make_xlnet(nlohmann::json content, const ModelSettings& settings) {
  const XlnetConfig config = read_xlnet_config(content);
  return std::make_unique<Xlnet>(std::move(content), config, settings);
}

}  // namespace sft
