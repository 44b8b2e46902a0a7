// What BERT and its relatives read from config.json by the names that they share.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/blocks/text_encoder.h"

namespace sft {

// What a family has where the file is silent.
struct TextEncoderDefaults {
  const char* family = "";  // "BERT", for messages
  int64_t vocab_size = 30522, width = 768, blocks = 12, heads = 12, inner = 3072;
  int64_t segments = 2, least_segments = 1;
  const char* activation = "gelu";
  double dropout = 0.1, norm_eps = 1e-12;
  int64_t padding_id = 0;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
EncoderShape read_text_encoder(nlohmann::json& content, const TextEncoderDefaults& defaults);

// Of a head: hidden_dropout_prob where the file has none.
double read_classifier_dropout(nlohmann::json& content, const EncoderShape& encoder);

}  // namespace sft
