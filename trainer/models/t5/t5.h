// T5 (Raffel et al., 2020), its 1.1 form (Shazeer, 2020) and mT5 (Xue et al., 2021) on packed rows, with the names of
// transformers' T5ForConditionalGeneration.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed. The output layer is the table of words unless the weight
// files have an lm_head.weight of their own, as transformers 5 has it.
std::unique_ptr<Model> make_t5(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
