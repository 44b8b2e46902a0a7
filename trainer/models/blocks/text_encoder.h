// Encoders of text with post-norm blocks on packed rows: what BERT, RoBERTa, DistilBERT, ELECTRA, ALBERT and DeBERTa
// share. A family adds its config, its names, its positions and what stands on top.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/blocks/narrow_weights.h"
#include "trainer/models/blocks/parameter_builder.h"
#include "trainer/models/model.h"

namespace sft {

struct EncoderShape {
  int64_t vocab_size = 0, positions = 0, segments = 0;  // rows of the tables; 0: no table
  int64_t distances = 0;                                // likewise of a table that the family adds, as wide as blocks
  int64_t width = 0, blocks = 0, heads = 0, inner = 0;
  int64_t embedding_width = 0;         // of the tables; 0: width
  int64_t blocks_sharing_weights = 1;  // so many blocks on end run on the same weights
  int64_t padding_id = -1;             // the word whose row starts at zero and gets no gradient; −1: none
  int64_t padding_position = -1;       // likewise the position
  Activation activation = Activation::gelu;
  double hidden_dropout = 0.1, attention_dropout = 0.1;
  std::optional<double> output_dropout = {};  // of what the second half of a block adds; nothing: hidden_dropout
  double norm_eps = 1e-12;
  double initializer_range = 0.02;
};

// In weight files. BERT's words, which others took over.
struct EncoderNames {
  std::string prefix;                     // "bert."
  std::string architecture;               // "Bert": of "BertForSequenceClassification"
  std::string projection = "";            // of narrow embeddings to the width of blocks; "": none
  std::string blocks = "encoder.layer.";  // the number follows, and then what is behind it and one of these
  std::string behind_number = ".";
  std::string query = "attention.self.query", key = "attention.self.key", value = "attention.self.value";
  std::string attention_output = "attention.output.dense", attention_norm = "attention.output.LayerNorm";
  std::string intermediate = "intermediate.dense", output = "output.dense", output_norm = "output.LayerNorm";
};

struct EncoderBlock {
  Linear query, key, value, attention_output, intermediate, output;
  LayerNorm attention_norm, output_norm;
};

class TextEncoder : public Model {
 public:
  const EncoderShape& shape() const { return shape_; }
  const EncoderNames& names() const { return names_; }
  // Behind the prefix, of the i-th set of weights: "encoder.layer.0.".
  std::string block_name(int64_t i) const;
  const std::string& pooler_name() const { return pooler_name_; }  // likewise; "": there is no pooler

  int num_blocks() const override { return static_cast<int>(shape_.blocks); }
  int blocks_sharing_weights() const override { return static_cast<int>(shape_.blocks_sharing_weights); }
  int64_t width() const override { return shape_.width; }
  std::optional<TextLimits> text_limits() const override {
    const int64_t positions = shape_.positions > 0 ? shape_.positions : TextLimits::kUnlimited;
    return TextLimits{shape_.vocab_size, positions, shape_.segments};
  }

  Parameters parameters() const override { return parameters_; }
  std::vector<NamedLinear> linears() override;
  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;
  at::Tensor features(const at::Tensor& x) const override;
  void follow_weights() override { narrow_.follow(); }
  bool copies_weights() const override { return narrow_.read_parameters(); }
  bool has_pooler() const override { return pooler_.weight.defined(); }
  at::Tensor pool(const at::Tensor& first_BC, const RowKeys& keys) override;

  double initializer_range() const override { return shape_.initializer_range; }
  const nlohmann::json& config() const override { return content_; }
  double flops(int64_t tokens, int64_t read) const override;
  std::string architecture(const std::string& class_ending) const override;
  std::string prefix() const override { return names_.prefix; }
  std::string canonical(const std::string& file_name) const override;

 protected:
  TextEncoder(nlohmann::json content, const EncoderShape& shape, const EncoderNames& names,
              const ModelSettings& settings);

  ParameterBuilder builder();  // adds behind the parameters that are there
  // BERT's pooler, a layer of that name and tanh.
  void add_pooler(const std::string& name);
  // Those of lower stages in front, of one stage in the order in which they were made.
  void sort_by_stage();
  const EmbeddingTables& tables() const { return tables_; }
  // Rows of the position table, int64 [N].
  virtual at::Tensor position_rows(const TextInputs& inputs) const { return inputs.positions_N; }
  // What the rows that are carried on read of queries, keys and values, [M, C], in front of the output layer.
  virtual at::Tensor attended(int stage, const EncoderBlock& block, const BlockRows::Projected& made,
                              const BlockRows& rows, Mode mode) const;
  Dropout dropout(Mode mode, int stage, const char* place, double p) const;

 private:
  void compute_in(at::ScalarType type);
  at::Tensor embedding(const TextInputs& inputs, Mode mode) const;
  at::Tensor block(int stage, const at::Tensor& x, const BlockRows& rows, Mode mode) const;
  EncoderBlock make_block(ParameterBuilder& build, int64_t i) const;
  // The lowest stage that the i-th set of weights is for.
  int stage_of(int64_t i) const { return static_cast<int>(i * shape_.blocks_sharing_weights) + 1; }

  nlohmann::json content_;
  EncoderShape shape_;
  EncoderNames names_;
  at::TensorOptions options_;  // of parameters
  at::ScalarType flow_type_;   // of what flows from block to block
  NarrowWeights narrow_;
  InitialSeed seed_;
  EmbeddingTables tables_;
  LayerNorm embedding_norm_;
  Linear projection_;                 // undefined: none
  std::vector<EncoderBlock> blocks_;  // the sets of weights
  std::string pooler_name_;
  Linear pooler_;  // undefined: none
  Parameters parameters_;
  uint64_t dropout_seed_;
};

}  // namespace sft
