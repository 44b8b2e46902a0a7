// Llama (Touvron et al., 2023; Grattafiori et al., 2024) on packed rows, with the names of transformers'
// LlamaForCausalLM. Mistral (Jiang et al., 2023) is the same network with a sliding window, under its own model_type
// and class names.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content, whose model_type is llama or mistral; random weights from the seed.
std::unique_ptr<Model> make_llama(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
