// What Llama's relatives read from config.json, by the names that they share.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/blocks/config_reader.h"
#include "trainer/models/blocks/rotary.h"
#include "trainer/models/blocks/rotary_decoder.h"

namespace sft {

// Sizes of transformers' config class, which hold where the file names none.
struct RotaryDecoderDefaults {
  int64_t vocab_size = 32000, width = 4096, inner = 11008, positions = 2048;
  int64_t key_heads = 0;   // 0: as many as heads
  int64_t head_width = 0;  // 0: width / heads
};

// Sizes, norms, rotary positions and the tie. Biases, norms of heads and windows are the families'. Fills `content` up
// with every default that was used. ConfigError names the key, what it wants and what was found.
RotaryDecoderShape read_rotary_decoder(nlohmann::json& content, const RotaryDecoderDefaults& defaults);

// Refuses use_sliding_window, and layer_types other than full attention.
void refuse_sliding_windows(nlohmann::json& content);

// "rope_parameters" of transformers 5, else "rope_theta" and "rope_scaling" of 4. Types: default, linear, llama3;
// others are refused by name.
RotaryRule read_rotary(nlohmann::json& content, int64_t head_width, int64_t positions);

}  // namespace sft
