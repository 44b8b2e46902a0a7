// BERT (Devlin et al., 2018) on packed rows, with the names of transformers' BertForSequenceClassification.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/bert/bert_config.h"
#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/model.h"

namespace sft {

struct BertBlock {
  Linear query, key, value, attention_output, intermediate, output;
  LayerNorm attention_norm, output_norm;
};

class Bert : public Model {
 public:
  Bert(nlohmann::json content, const at::Device& device, at::ScalarType dtype, uint64_t seed);

  int num_blocks() const override { return static_cast<int>(blocks_.size()); }
  int64_t width() const override { return config_.hidden_size; }
  std::optional<TextLimits> text_limits() const override {
    return TextLimits{config_.vocab_size, config_.max_position_embeddings, config_.type_vocab_size};
  }

  Parameters parameters() const override { return parameters_; }
  Features forward(const Inputs& inputs, Reads reads) override;
  bool has_pooler() const override { return true; }
  at::Tensor pool(const at::Tensor& first_BC) override;

  void set_training(const std::vector<bool>& training) override;
  void set_first_trained(int stage) override { first_trained_ = stage; }
  void set_dropout_seed(uint64_t seed) override { dropout_seed_ = seed; }

  HeadShape head(Reads) const override { return {.dropout = config_.classifier_dropout}; }
  double initializer_range() const override { return config_.initializer_range; }
  const nlohmann::json& config() const override { return content_; }
  double flops(int64_t tokens, int64_t sequences, Reads reads) const override;
  std::string architecture(const std::string& task) const override;
  std::string prefix() const override { return "bert."; }
  std::string canonical(const std::string& file_name) const override;

 private:
  class Builder;
  Dropout dropout(int stage, const char* place, double p) const;
  at::Tensor embedding(const TextInputs& inputs) const;
  at::Tensor block(int stage, const at::Tensor& x, const TextInputs& inputs, bool first_only) const;

  nlohmann::json content_;
  BertConfig config_;
  EmbeddingTables tables_;
  LayerNorm embedding_norm_;
  std::vector<BertBlock> blocks_;
  Linear pooler_;
  Parameters parameters_;
  std::vector<bool> training_;
  int first_trained_ = 0;
  uint64_t dropout_seed_ = 0;
};

}  // namespace sft
