// Qwen3 (Yang et al., 2025) on packed rows, with the names of transformers' Qwen3ForCausalLM: Llama's network with
// norms of each head's queries and keys, whose width is config.json's whatever the model's is.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_qwen3(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
