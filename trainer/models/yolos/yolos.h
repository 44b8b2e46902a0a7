// YOLOS (Fang et al., 2021), with the names of transformers' YolosForObjectDetection: ViT's blocks, with detection
// tokens behind the patches, each of which becomes one detected object or none. The features are those tokens' rows,
// [B, D, C]; the heads are the task's.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed. Positions are of pictures of "image_size", two numbers, and
// are brought to the size of the pictures in every pass, as transformers does it.
std::unique_ptr<Model> make_yolos(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
