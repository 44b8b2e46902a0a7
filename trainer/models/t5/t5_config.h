// What T5 and mT5 read from config.json, with transformers' defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/blocks/activation.h"

namespace sft {

struct T5Config {
  int64_t vocab_size = 32128, width = 512, head_width = 64, inner = 2048, heads = 8;
  int64_t encoder_blocks = 6, decoder_blocks = 6;
  int64_t buckets = 32, max_distance = 128;  // of relative positions
  Activation activation = Activation::relu;
  bool is_gated = false;
  double dropout = 0.1;
  double norm_eps = 1e-6;
  double initializer_factor = 1.0;
  bool scales_output = true;     // what the decoder gives is multiplied by width^−½: of T5 1.0
  bool is_multilingual = false;  // mT5
  int64_t start_id = 0;

  int64_t attention_width() const { return heads * head_width; }
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
T5Config read_t5_config(nlohmann::json& content);

}  // namespace sft
