// ViT (Dosovitskiy et al., 2020), with the names of transformers' ViTForImageClassification: the head reads the class
// token.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_vit(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
