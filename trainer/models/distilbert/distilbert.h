// DistilBERT (Sanh et al., 2019) on packed rows, with the names of transformers' DistilBertForSequenceClassification.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>

#include "trainer/models/model.h"

namespace sft {

// From config.json's content; random weights from the seed.
std::unique_ptr<Model> make_distilbert(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
