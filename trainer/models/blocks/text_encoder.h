// Encoders of text with post-norm blocks on packed rows: what BERT, RoBERTa and DistilBERT share. A family adds its
// config, its names, its positions and what stands on top.
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
  int64_t vocab_size = 0, positions = 0, segments = 0;  // rows of the tables; no segments: no table
  int64_t width = 0, blocks = 0, heads = 0, inner = 0;
  int64_t padding_id = -1;        // the word whose row starts at zero and gets no gradient; −1: none
  int64_t padding_position = -1;  // likewise the position
  Activation activation = Activation::gelu;
  double hidden_dropout = 0.1, attention_dropout = 0.1;
  double norm_eps = 1e-12;
  double initializer_range = 0.02;
};

// In weight files. BERT's words, which others took over.
struct EncoderNames {
  std::string prefix;                     // "bert."
  std::string architecture;               // "Bert": of "BertForSequenceClassification"
  std::string blocks = "encoder.layer.";  // the number follows, and then one of these
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
  int num_blocks() const override { return static_cast<int>(blocks_.size()); }
  int64_t width() const override { return shape_.width; }
  std::optional<TextLimits> text_limits() const override {
    return TextLimits{shape_.vocab_size, shape_.positions, shape_.segments};
  }

  Parameters parameters() const override { return parameters_; }
  std::vector<NamedLinear> linears() override;
  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;
  at::Tensor features(const at::Tensor& x) const override;
  void follow_weights() override { narrow_.follow(); }
  bool has_pooler() const override { return false; }
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
  const EmbeddingTables& tables() const { return tables_; }
  // Rows of the position table, int64 [N].
  virtual at::Tensor position_rows(const TextInputs& inputs) const { return inputs.positions_N; }

 private:
  void compute_in(at::ScalarType type);
  Dropout dropout(Mode mode, int stage, const char* place, double p) const;
  at::Tensor embedding(const TextInputs& inputs, Mode mode) const;
  at::Tensor block(int stage, const at::Tensor& x, const BlockRows& rows, Mode mode) const;

  nlohmann::json content_;
  EncoderShape shape_;
  EncoderNames names_;
  at::TensorOptions options_;  // of parameters
  at::ScalarType flow_type_;   // of what flows from block to block
  NarrowWeights narrow_;
  InitialSeed seed_;
  EmbeddingTables tables_;
  LayerNorm embedding_norm_;
  std::vector<EncoderBlock> blocks_;
  Parameters parameters_;
  uint64_t dropout_seed_;
};

}  // namespace sft
