// ALBERT (Lan et al., 2019) on packed rows, with the names of transformers' AlbertForSequenceClassification: narrow
// embeddings, and one block's weights for all blocks or for a group of them.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_albert(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
