// BART (Lewis et al., 2020) on packed rows, with the names of transformers' BartForConditionalGeneration: Marian's
// post-norm blocks, positions that are learned, and a norm of the embedding.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_bart(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
