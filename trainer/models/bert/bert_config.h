// What BERT reads from config.json, with transformers' defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/blocks/activation.h"

namespace sft {

struct BertConfig {
  int64_t vocab_size = 30522;
  int64_t hidden_size = 768;
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;
  int64_t pad_token_id = 0;  // −1: none
  Activation hidden_act = Activation::gelu;
  double hidden_dropout_prob = 0.1;
  double attention_probs_dropout_prob = 0.1;
  double classifier_dropout = 0.1;  // hidden_dropout_prob where the file has none
  double initializer_range = 0.02;
  double layer_norm_eps = 1e-12;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
BertConfig read_bert_config(nlohmann::json& content);

}  // namespace sft
