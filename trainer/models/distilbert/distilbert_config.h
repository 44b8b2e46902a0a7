// What DistilBERT reads from config.json, with transformers' defaults.
#pragma once

#include <nlohmann/json.hpp>

#include "trainer/models/blocks/text_encoder.h"

namespace sft {

struct DistilBertConfig {
  EncoderShape encoder;  // its hidden_dropout is also that of labels a token
  double seq_classif_dropout = 0.2;
  double qa_dropout = 0.1;
  bool sinusoidal_pos_embds = false;  // how random positions start
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
DistilBertConfig read_distilbert_config(nlohmann::json& content);

}  // namespace sft
