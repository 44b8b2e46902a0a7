// ModernBERT (Warner et al., 2024) on packed rows, with the names of transformers' ModernBertForSequenceClassification:
// pre-norm blocks without biases, rotary positions, windows in most blocks, GeGLU.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_modernbert(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
