// What Marian reads from config.json, with transformers' defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/blocks/activation.h"

namespace sft {

struct MarianSide {
  int64_t blocks = 12, heads = 16, inner = 4096;
};

struct MarianConfig {
  int64_t vocab_size = 58101, target_vocab_size = 58101, positions = 1024, width = 1024;
  MarianSide encoder, decoder;
  Activation activation = Activation::gelu;
  double dropout = 0.1, attention_dropout = 0.0, activation_dropout = 0.0;
  double initializer_range = 0.02;
  bool scales_embedding = false;  // words are multiplied by √width
  bool shares_embeddings = true;  // both sides have one table
  bool is_tied = true;            // the output layer is the target's table of words
  int64_t padding_id = 58100;     // the word whose row gets no gradient from being read
  int64_t start_id = 58100;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
MarianConfig read_marian_config(nlohmann::json& content);

}  // namespace sft
