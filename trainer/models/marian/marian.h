// Marian's translators (Junczys-Dowmunt et al., 2018), such as OPUS-MT, on packed rows, with the names of transformers'
// MarianMTModel: post-norm blocks, sinusoidal positions, a bias of the logits that is saved and never trained.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_marian(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
