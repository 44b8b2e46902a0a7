// What DeBERTa-v2 reads from config.json, with transformers' defaults.
#pragma once

#include <nlohmann/json.hpp>

#include "trainer/models/blocks/disentangled_attention.h"
#include "trainer/models/blocks/text_encoder.h"

namespace sft {

struct DebertaV2Config {
  EncoderShape encoder;
  DistanceRows distances;
  bool content_to_position = true, position_to_content = true;  // pos_att_type
  bool norms_table = false;                                     // norm_rel_ebd
  double pooler_dropout = 0, classifier_dropout = 0.1;
  Activation pooler_activation = Activation::gelu;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
DebertaV2Config read_deberta_v2_config(nlohmann::json& content);

}  // namespace sft
