// GPT-2 (Radford et al., 2019) on packed rows, with the names of transformers' GPT2LMHeadModel, whose matrices are
// [in, out] in files.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_gpt2(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
