#include "trainer/models/modernbert/modernbert.h"

#include <ATen/TensorOperators.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/block_flops.h"
#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/encoder_class.h"
#include "trainer/models/blocks/gated_mlp.h"
#include "trainer/models/blocks/layer_norm.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/blocks/on_device.h"
#include "trainer/models/blocks/text_network.h"
#include "trainer/models/modernbert/modernbert_config.h"

namespace sft {
namespace {

struct ModernBertBlock {
  LayerNorm input_norm, output_norm;  // in front of attention (none in the first block), and of the MLP
  Linear query_key_value, attention_output, inner, output;
};

// N packed rows, C channels, I inner ones; M rows that are carried on in the last block.
class ModernBert final : public TextNetwork {
 public:
  ModernBert(nlohmann::json content, const ModernBertConfig& config, const ModelSettings& settings)
      : TextNetwork(std::move(content), settings),
        config_(config),
        full_(config.full, options().dtype(wide_type(settings.dtype))),
        sliding_(config.sliding, options().dtype(wide_type(settings.dtype))) {
    const auto channels = static_cast<double>(config.width);
    require_memory_for(
        channels * (static_cast<double>(config.vocab_size) +
                    static_cast<double>(config.blocks) * (4 * channels + 3 * static_cast<double>(config.inner))),
        settings.held_options(),
        concat("a vocabulary of ", config.vocab_size, " and ", config.blocks, " layers of ", config.width, " and ",
               config.inner, " channels"));
    ParameterBuilder build = builder(prefix(), config.initializer_range);
    build.cut_off_at(config.initializer_cutoff);
    tables_.word_VC = build.table("embeddings.tok_embeddings", config.vocab_size, config.width, config.padding_id, 0);
    tables_.type = settings.dtype;
    tables_.padding_id = config.padding_id;
    embedding_norm_ = norm(build, "embeddings.norm", 0);
    blocks_.resize(static_cast<size_t>(config.blocks));
    for (int64_t i = 0; i < config.blocks; ++i) make_block(build, i);
    final_norm_ = norm(build, "final_norm", num_blocks());
  }

  int num_blocks() const override { return static_cast<int>(config_.blocks); }
  int64_t width() const override { return config_.width; }
  std::optional<TextLimits> text_limits() const override {
    return TextLimits{.vocab_size = config_.vocab_size, .max_positions = config_.positions};
  }

  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override {
    const TextInputs& text = text_of(inputs);
    if (s == 0) return embedding(text, mode);
    const bool reads_few = s == num_blocks() && text.read;
    return block(s, x, {.inputs = text, .read = reads_few ? &*text.read : nullptr}, mode);
  }

  HeadShape token_head() const override {
    return {.hidden = "head.dense",
            .hidden_has_bias = config_.classifier_bias,
            .activation = config_.classifier_activation,
            .norm = HeadNorm{.name = "head.norm", .eps = config_.norm_eps, .has_bias = config_.norm_bias},
            .dropout = config_.classifier_dropout,
            .hidden_deviation = config_.initializer_range * narrowed(),
            .output_deviation = 1 / std::sqrt(static_cast<double>(config_.width)),
            .cutoff = config_.initializer_cutoff};
  }
  HeadShape output_head(const std::string&) const override { return token_head(); }
  HeadShape sequence_head() const override {
    HeadShape shape = token_head();
    shape.reads = config_.reads_mean ? Reads::all : Reads::first;
    shape.pooling_key = "classifier_pooling";
    return shape;
  }
  double initializer_range() const override { return config_.initializer_range; }

  // One product makes queries, keys and values, so all rows ask.
  double flops(int64_t tokens, int64_t read) const override {
    const auto channels = static_cast<double>(config_.width), inner = static_cast<double>(config_.inner);
    const double first = 6 * channels * channels, rest = 2 * channels * channels + 6 * channels * inner;
    return block_flops(num_blocks(), tokens, read, {.of_all = first, .of_read = rest});
  }

  std::string architecture(const std::string& class_ending) const override {
    return encoder_class("ModernBert", "modernbert", class_ending);
  }
  std::string prefix() const override { return "model."; }
  std::string canonical(const std::string& file_name) const override {
    for (const char* part : {"embeddings.", "layers.", "final_norm."})
      if (file_name.starts_with(part)) return prefix() + file_name;
    return file_name;
  }

 private:
  // What is added to the residual stream starts smaller, by the number of such layers.
  double narrowed() const { return 1 / std::sqrt(2 * static_cast<double>(config_.blocks)); }

  LayerNorm norm(ParameterBuilder& build, const std::string& name, int stage) const {
    return build.norm(name, config_.width, config_.norm_eps, stage, config_.norm_bias);
  }

  void make_block(ParameterBuilder& build, int64_t i) {
    ModernBertBlock& block = blocks_[static_cast<size_t>(i)];
    const int stage = static_cast<int>(i) + 1;
    const int64_t channels = config_.width;
    const std::string name = concat("layers.", i, ".");
    const auto linear = [&](const char* part, int64_t out, int64_t in, bool is_biased, double smaller) {
      return build.linear(name + part, out, in, stage, {.is_biased = is_biased, .narrowed = smaller});
    };
    if (i > 0) block.input_norm = norm(build, name + "attn_norm", stage);
    block.query_key_value = linear("attn.Wqkv", 3 * channels, channels, config_.attention_bias, 1.0);
    block.attention_output = linear("attn.Wo", channels, channels, config_.attention_bias, narrowed());
    block.output_norm = norm(build, name + "mlp_norm", stage);
    block.inner = linear("mlp.Wi", 2 * config_.inner, channels, config_.mlp_bias, 1.0);
    block.output = linear("mlp.Wo", channels, config_.inner, config_.mlp_bias, narrowed());
    for (Linear* each : {&block.query_key_value, &block.attention_output, &block.inner, &block.output})
      add_layer(*each);
  }

  at::Tensor embedding(const TextInputs& inputs, Mode mode) const {
    const at::Tensor x_NC = embed(tables_, inputs.tokens_N, inputs.positions_N, inputs.segments_N);
    const Dropout fall = dropout(mode, 0, "embeddings", config_.embedding_dropout);
    return keyed_dropout(layer_normed(x_NC, embedding_norm_), fall.key, inputs.draws_N, inputs.positions_N, fall.p)
        .to(flow_type());
  }

  at::Tensor block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) {
    const ModernBertBlock& block = blocks_[static_cast<size_t>(stage - 1)];
    const RowKeys keys_M = row_keys(mode, rows.draws_M(), rows.positions_M());
    const auto dropped = [&](const at::Tensor& x_M, const char* place, double p) {
      const Dropout fall = dropout(mode, stage, place, p);
      return keyed_dropout(x_M, fall.key, rows.draws_M(), rows.positions_M(), fall.p);
    };
    const at::Tensor read_MC = attended(stage, x_NC, rows, mode);
    const at::Tensor middle_MC =
        dropped(linear(read_MC, block.attention_output, keys_M), "attn.Wo", config_.attention_dropout) + rows.of(x_NC);

    const std::vector<at::Tensor> halves =
        linear(layer_normed(middle_MC, block.output_norm), block.inner, keys_M).chunk(2, 1);
    const at::Tensor hidden_MI = dropped(gated(config_.activation, halves[0], halves[1]), "mlp", config_.mlp_dropout);
    const at::Tensor y_MC = linear(hidden_MI, block.output, keys_M) + middle_MC;
    return stage == num_blocks() ? layer_normed(y_MC, final_norm_) : y_MC;
  }

  at::Tensor attended(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) {
    const ModernBertBlock& block = blocks_[static_cast<size_t>(stage - 1)];
    const RowKeys keys_N = row_keys(mode, rows.inputs.draws_N, rows.inputs.positions_N);
    const at::Tensor normed_NC = block.input_norm.weight.defined() ? layer_normed(x_NC, block.input_norm) : x_NC;
    const std::vector<at::Tensor> parts = linear(normed_NC, block.query_key_value, keys_N).chunk(3, 1);
    const int64_t window = config_.windows[static_cast<size_t>(stage - 1)];
    RotaryTable& angles = window > 0 ? sliding_ : full_;
    const Rotated turned = rotate(rows.of(parts[0]), parts[1], rows.positions_M(), rows.inputs.positions_N,
                                  angles.up_to(rows.inputs.most_positions));
    return rows.attended(stage, turned.q, turned.k, parts[2],
                         {.heads = config_.heads,
                          .key_heads = config_.heads,
                          .window = window,
                          .dropout = dropout(mode, stage, "attn", config_.attention_dropout)});
  }

  ModernBertConfig config_;
  RotaryTable full_, sliding_;
  EmbeddingTables tables_;
  LayerNorm embedding_norm_, final_norm_;
  std::vector<ModernBertBlock> blocks_;
};

}  // namespace

std::unique_ptr<Model> make_modernbert(nlohmann::json content, const ModelSettings& settings) {
  const ModernBertConfig config = read_modernbert_config(content);
  return std::make_unique<ModernBert>(std::move(content), config, settings);
}

}  // namespace sft
