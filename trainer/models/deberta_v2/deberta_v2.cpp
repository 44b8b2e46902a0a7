#include "trainer/models/deberta_v2/deberta_v2.h"

#include <utility>

#include "trainer/models/blocks/disentangled_attention.h"
#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/layer_norm.h"
#include "trainer/models/blocks/text_encoder.h"
#include "trainer/models/deberta_v2/deberta_v2_config.h"

namespace sft {
namespace {

const EncoderNames kNames{.prefix = "deberta.",
                          .architecture = "DebertaV2",
                          .query = "attention.self.query_proj",
                          .key = "attention.self.key_proj",
                          .value = "attention.self.value_proj"};

// N packed rows, C channels; M rows that are carried on in the last block.
class DebertaV2 final : public TextEncoder {
 public:
  DebertaV2(nlohmann::json content, const DebertaV2Config& config, const ModelSettings& settings)
      : TextEncoder(std::move(content), config.encoder, kNames, settings), config_(config) {
    ParameterBuilder build = builder();
    table_SC_ = build.table("encoder.rel_embeddings", config.encoder.distances, width(), -1, 0);
    if (config.norms_table) table_norm_ = build.norm("encoder.LayerNorm", width(), config.encoder.norm_eps, 0);
    sort_by_stage();
  }

  // The table of distances and its norm.
  bool blocks_share_parameters() const override { return true; }

  HeadShape token_head() const override { return {.dropout = config_.encoder.hidden_dropout}; }
  // transformers' pooler stands outside of the base model, in this class alone.
  HeadShape sequence_head() const override {
    return {.input_dropout = config_.pooler_dropout,
            .hidden = "pooler.dense",
            .activation = config_.pooler_activation,
            .dropout = config_.classifier_dropout};
  }
  std::string canonical(const std::string& file_name) const override {
    return file_name.starts_with("pooler.") ? file_name : TextEncoder::canonical(file_name);
  }

 protected:
  at::Tensor attended(int stage, const EncoderBlock& block, const BlockRows::Projected& made, const BlockRows& rows,
                      Mode mode) const override {
    at::Tensor table_SC = read_apart(table_SC_).to(made.q_M.scalar_type());
    if (table_norm_.weight.defined())
      table_SC =
          layer_normed(table_SC, {read_apart(table_norm_.weight), read_apart(table_norm_.bias), table_norm_.eps});
    return attend_disentangled(
        made.q_M, made.k_N, made.v_N, table_SC, rows,
        {.heads = config_.encoder.heads,
         .content_to_position = config_.content_to_position,
         .position_to_content = config_.position_to_content,
         .distances = config_.distances,
         .query = block.query,
         .key = block.key,
         .mode = mode,
         .positions = dropout(mode, stage, "attention.self.pos_dropout", config_.encoder.hidden_dropout),
         .probabilities = dropout(mode, stage, "attention.self", config_.encoder.attention_dropout)});
  }

 private:
  DebertaV2Config config_;
  at::Tensor table_SC_;
  LayerNorm table_norm_;
};

}  // namespace

std::unique_ptr<Model> make_deberta_v2(nlohmann::json content, const ModelSettings& settings) {
  const DebertaV2Config config = read_deberta_v2_config(content);
  return std::make_unique<DebertaV2>(std::move(content), config, settings);
}

}  // namespace sft
