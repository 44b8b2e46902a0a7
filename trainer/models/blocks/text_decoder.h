// Decoders of text with pre-norm blocks on packed rows: what Llama's relatives and GPT-2 share. Attention is causal;
// the final norm runs at the end of the last block and is of its stage.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/dropout_key.h"
#include "trainer/models/blocks/narrow_weights.h"
#include "trainer/models/blocks/parameter_builder.h"
#include "trainer/models/model.h"

namespace sft {

// What every decoder says of itself.
struct DecoderFacts {
  int64_t vocab_size = 0, positions = 0, width = 0, blocks = 0;
  double initializer_range = 0.02;
  bool is_tied = true;               // the output layer of a language model is the table of words
  std::string prefix;                // "model."
  std::string architecture;          // "Llama": of "LlamaForSequenceClassification"
  std::string language_model;        // "LlamaForCausalLM", "GPT2LMHeadModel"
  std::string token_head = "score";  // the output layer of the class that classifies tokens, and the dropout before it
  double token_head_dropout = 0.1;
};

class TextDecoder : public Model {
 public:
  int num_blocks() const override { return static_cast<int>(facts_.blocks); }
  int64_t width() const override { return facts_.width; }
  std::optional<TextLimits> text_limits() const override {
    return TextLimits{.vocab_size = facts_.vocab_size, .max_positions = facts_.positions};
  }

  Parameters parameters() const override { return parameters_; }
  std::vector<NamedLinear> linears() override;
  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;
  at::Tensor features(const at::Tensor& x) const override;
  void follow_weights() override { narrow_.follow(); }
  bool has_pooler() const override { return false; }
  at::Tensor pool(const at::Tensor& first_BC, const RowKeys& keys) override;

  // transformers reads the last token that is no padding; packed rows have no padding.
  HeadShape sequence_head() const override { return {.output = "score", .has_bias = false, .reads = Reads::last}; }
  HeadShape token_head() const override { return {.dropout = facts_.token_head_dropout, .output = facts_.token_head}; }
  double initializer_range() const override { return facts_.initializer_range; }
  const nlohmann::json& config() const override { return content_; }
  std::string architecture(const std::string& class_ending) const override;
  std::string prefix() const override { return facts_.prefix; }
  std::string canonical(const std::string& file_name) const override;

 protected:
  TextDecoder(nlohmann::json content, DecoderFacts facts, const ModelSettings& settings);

  const DecoderFacts& facts() const { return facts_; }
  ParameterBuilder builder();  // adds behind the parameters that are there
  // Lists a layer of a block, which stays where it is and whose parameters are made; its products are narrow where the
  // settings say so.
  void add_layer(Linear& layer);
  Dropout dropout(Mode mode, int stage, const char* place, double p) const;
  const at::TensorOptions& options() const { return options_; }  // of parameters

  // Rows [N, C] of the first stage, in the parameters' type.
  virtual at::Tensor embedding(const TextInputs& inputs, Mode mode) = 0;
  // Block 1 … n on x [N, C]: [M, C] of the rows that are carried on, after the last block their final norm.
  virtual at::Tensor block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) = 0;
  // Names that the base model's file begins with, in place of the prefix: "layers.", "norm.".
  virtual bool is_base_name(const std::string& name) const = 0;
  // Of buffers that old files hold and nobody needs.
  virtual bool is_leftover(const std::string& name) const = 0;

 private:
  nlohmann::json content_;
  DecoderFacts facts_;
  at::TensorOptions options_;
  std::optional<at::ScalarType> compute_type_;
  at::ScalarType flow_type_;  // of what flows from block to block
  InitialSeed seed_;
  uint64_t dropout_seed_;
  NarrowWeights narrow_;
  std::vector<Linear*> layers_;  // in forward order
  Parameters parameters_;
};

}  // namespace sft
