// XLNet (Yang et al., 2019) on packed rows, with the names of transformers' XLNetForSequenceClassification: post-norm
// blocks whose attention knows distances and whether two tokens are of one segment. Fine-tuned as it is: one stream, no
// memory, every token sees all.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_xlnet(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
