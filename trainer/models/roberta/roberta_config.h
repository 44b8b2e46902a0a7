// What RoBERTa reads from config.json, with transformers' defaults.
#pragma once

#include <nlohmann/json.hpp>

#include "trainer/models/blocks/text_encoder.h"

namespace sft {

struct RobertaConfig {
  EncoderShape encoder;
  double classifier_dropout = 0.1;  // hidden_dropout_prob where the file has none
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
RobertaConfig read_roberta_config(nlohmann::json& content);

}  // namespace sft
