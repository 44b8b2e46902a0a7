// VGG (Simonyan and Zisserman, 2014) with 11, 13, 16 or 19 layers, with BatchNorm and without, by torchvision's names.
// Stages: 0 the first convolution, then one a convolution, then the two fully connected layers in front of the head.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_vgg(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
