// What GPT-2 reads from config.json, with transformers' defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/blocks/activation.h"

namespace sft {

struct Gpt2Config {
  int64_t vocab_size = 50257, positions = 1024, width = 768, blocks = 12, heads = 12, inner = 3072;
  Activation activation = Activation::gelu_tanh;
  double embedding_dropout = 0.1, attention_dropout = 0.1, residual_dropout = 0.1;
  double norm_eps = 1e-5;
  double initializer_range = 0.02;
  double token_head_dropout = 0.1;
  bool is_tied = true;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
Gpt2Config read_gpt2_config(nlohmann::json& content);

}  // namespace sft
