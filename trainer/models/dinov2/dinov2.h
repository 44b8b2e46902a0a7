// DINOv2 (Oquab et al., 2023), with the names of transformers' Dinov2ForImageClassification: the head reads the class
// token and the mean over the patches, one behind the other.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_dinov2(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
