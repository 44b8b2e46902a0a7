// preprocessor_config.json: what transformers' image processors do to an image before the model sees it; and, under our
// own keys, what prepare does, which theirs can only say in part.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "data/prepare/data_config.h"
#include "trainer/models/model.h"

namespace sft {

// `model`: the model's config.json, which has image_mean and image_std.
nlohmann::json preprocessor_config(const nlohmann::json& model, const ImageProcessor& processor,
                                   const DataConfig& data);

// data.image_size and data.crop as preprocessor_config() wrote them down; unchanged where `content` is another's.
void read_image_settings(const nlohmann::json& content, DataConfig& into);

// data.interpolation, where it is left open, as PIL's number in "resample" says it. ConfigError where images are
// resized and it is another than bilinear's or bicubic's; `path`: of the file, for messages.
void settle_interpolation(const nlohmann::json& content, const std::string& path, DataConfig& into);

}  // namespace sft
