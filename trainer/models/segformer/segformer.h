// SegFormer (Xie et al., 2021), with the names of transformers' SegformerForSemanticSegmentation: an encoder that works
// at several resolutions, and a decode head over all of them. The features are what the head's last convolution reads,
// [B, D, h, w] at the finest resolution, a quarter of the picture's; the convolution is the task's.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_segformer(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
