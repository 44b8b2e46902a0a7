// Qwen2 and Qwen2.5 (Yang et al., 2024) on packed rows, with the names of transformers' Qwen2ForCausalLM: Llama's
// network with biases on queries, keys and values.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_qwen2(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
