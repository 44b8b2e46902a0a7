// What XLNet reads from config.json, with transformers' defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/blocks/activation.h"

namespace sft {

struct XlnetConfig {
  int64_t vocab_size = 0, width = 0, blocks = 0, heads = 0, inner = 0;
  int64_t farthest = 0;  // distances beyond are as this one (clamp_len); 0: none is
  Activation activation = Activation::gelu, summary_activation = Activation::tanh;
  double dropout = 0.1, summary_first_dropout = 0, summary_last_dropout = 0.1;
  double norm_eps = 1e-12;
  double initializer_range = 0.02;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
XlnetConfig read_xlnet_config(nlohmann::json& content);

}  // namespace sft
