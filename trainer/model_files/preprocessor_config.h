// preprocessor_config.json: what transformers' image processors do to an image before the model sees it; and, under our
// own keys, what prepare does, which theirs can only say in part.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "data/prepare/data_config.h"
#include "trainer/models/model.h"

namespace sft {

// `model`: the model's config.json, which has image_mean and image_std.
nlohmann::json preprocessor_config(const nlohmann::json& model, const ImageProcessor& processor,
                                   const DataConfig& data);

// data.image_size and data.crop as preprocessor_config() wrote them down; unchanged where `content` is another's.
void read_image_settings(const nlohmann::json& content, DataConfig& into);

// image_mean and image_std as models here take them, (p / 255 − mean) / std, of what `content` does to a pixel p: times
// rescale_factor (1/255) unless do_rescale is false, and behind that less its mean and over its deviation unless
// do_normalize is false. Those that it does not say are left out. DataError naming `path` and the key.
nlohmann::json pixel_scale(const nlohmann::json& content, const std::string& path, size_t num_channels);

// data.interpolation, where it is left open, as PIL's number in "resample" says it. ConfigError where images are
// resized and it is another than bilinear's or bicubic's; `path`: of the file, for messages.
void settle_interpolation(const nlohmann::json& content, const std::string& path, DataConfig& into);

}  // namespace sft
