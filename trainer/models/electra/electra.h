// ELECTRA (Clark et al., 2020), the discriminator, on packed rows, with the names of transformers'
// ElectraForSequenceClassification.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_electra(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
