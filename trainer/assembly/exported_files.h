// The files beside the weights of a fine-tuned model.
#pragma once

#include "data/text/tokenizer.h"
#include "trainer/config/run_config.h"
#include "trainer/learner/learner.h"
#include "trainer/model_files/model_directory.h"

namespace sft {

// config.json with the dtype of the weights, and the tokenizer's files with data.max_length and the side of the cut, or
// preprocessor_config.json where there is no tokenizer; of a model fine-tuned from the one in `from`.
NamedFiles exported_files(const ModelDirectory& from, const Learner& learner, const RunConfig& run,
                          const Tokenizer* tokenizer);

// In how many files the weights stand, and which other forms the family has: of a Keras model, model.h5. `model`:
// Model::config().
ExportForm export_form(const RunConfig& run, const nlohmann::json& model);

}  // namespace sft
