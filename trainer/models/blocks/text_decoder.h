// Decoders of text with pre-norm blocks on packed rows: what Llama's relatives and GPT-2 share. Attention is causal;
// the final norm runs at the end of the last block and is of its stage.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/text_network.h"

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

class TextDecoder : public TextNetwork {
 public:
  int num_blocks() const override { return static_cast<int>(facts_.blocks); }
  int64_t width() const override { return facts_.width; }
  std::optional<TextLimits> text_limits() const override {
    return TextLimits{.vocab_size = facts_.vocab_size, .max_positions = facts_.positions};
  }

  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;

  // transformers reads the last token that is no padding; packed rows have no padding.
  HeadShape sequence_head() const override { return {.output = "score", .has_bias = false, .reads = Reads::last}; }
  HeadShape token_head() const override { return {.dropout = facts_.token_head_dropout, .output = facts_.token_head}; }
  double initializer_range() const override { return facts_.initializer_range; }
  std::string architecture(const std::string& class_ending) const override;
  std::string prefix() const override { return facts_.prefix; }
  std::string canonical(const std::string& file_name) const override;

 protected:
  TextDecoder(nlohmann::json content, DecoderFacts facts, const ModelSettings& settings);

  const DecoderFacts& facts() const { return facts_; }
  ParameterBuilder builder() { return TextNetwork::builder(facts_.prefix, facts_.initializer_range); }

  // Rows [N, C] of the first stage, in the parameters' type.
  virtual at::Tensor embedding(const TextInputs& inputs, Mode mode) = 0;
  // Block 1 … n on x [N, C]: [M, C] of the rows that are carried on, after the last block their final norm.
  virtual at::Tensor block(int stage, const at::Tensor& x_NC, const BlockRows& rows, Mode mode) = 0;
  // Names that the base model's file begins with, in place of the prefix: "layers.", "norm.".
  virtual bool is_base_name(const std::string& name) const = 0;
  // Of buffers that old files hold and nobody needs.
  virtual bool is_leftover(const std::string& name) const = 0;

 private:
  DecoderFacts facts_;
};

}  // namespace sft
