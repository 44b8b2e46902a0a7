// BERT (Devlin et al., 2018) on packed rows, with the names of transformers' BertForSequenceClassification.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_bert(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
