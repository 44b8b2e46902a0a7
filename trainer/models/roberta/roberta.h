// RoBERTa (Liu et al., 2019) on packed rows, with the names of transformers' RobertaForSequenceClassification.
// XLM-RoBERTa and CamemBERT are the same network under their own model_type and class names.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content, whose model_type is roberta, xlm-roberta or camembert; random weights from the seed.
std::unique_ptr<Model> make_roberta(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
