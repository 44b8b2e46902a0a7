// What ModernBERT reads from config.json, with transformers' defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/rotary.h"

namespace sft {

struct ModernBertConfig {
  int64_t vocab_size = 0, positions = 0, width = 0, blocks = 0, heads = 0, inner = 0;
  int64_t padding_id = -1;       // the word whose row gets no gradient; −1: none
  std::vector<int64_t> windows;  // of each block: how far a token sees to either side; 0: all
  RotaryRule full, sliding;      // of blocks without a window, and with one
  bool attention_bias = false, mlp_bias = false, norm_bias = false, classifier_bias = false;
  Activation activation = Activation::gelu, classifier_activation = Activation::gelu;
  double embedding_dropout = 0, attention_dropout = 0, mlp_dropout = 0, classifier_dropout = 0;
  bool reads_mean = false;  // classifier_pooling
  double norm_eps = 1e-5;
  double initializer_range = 0.02;
  double initializer_cutoff = 2.0;  // deviations
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
ModernBertConfig read_modernbert_config(nlohmann::json& content);

}  // namespace sft
