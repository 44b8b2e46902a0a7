// What the encoders of pictures read alike from config.json, with transformers' names and defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/blocks/config_reader.h"
#include "trainer/models/blocks/patch_encoder.h"

namespace sft {

// Each fills `shape`, whose values are the defaults, from `content`, and `content` up with what was used. ConfigError
// names the key, what it wants and what was found.
void read_patch_layers(nlohmann::json& content, PatchShape& shape);  // all but "image_size"
void read_patch_shape(nlohmann::json& content, PatchShape& shape);   // of square pictures that patches fill

}  // namespace sft
