// DeBERTa-v2 and -v3 (He et al., 2020 and 2021) on packed rows, with the names of transformers'
// DebertaV2ForSequenceClassification.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_deberta_v2(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
