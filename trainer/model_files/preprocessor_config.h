// preprocessor_config.json: what transformers' image processors do to an image before the model sees it; and, under our
// own keys, what prepare does, which theirs can only say in part.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "data/prepare/data_config.h"

namespace sft {

// `model`: the model's config.json, which has image_mean and image_std.
nlohmann::json preprocessor_config(const nlohmann::json& model, const DataConfig& data);

// data.image_size and data.crop as preprocessor_config() wrote them down; unchanged where `content` is another's.
void read_image_settings(const nlohmann::json& content, DataConfig& into);

}  // namespace sft
