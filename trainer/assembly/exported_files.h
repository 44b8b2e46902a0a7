// The files beside the weights of a fine-tuned model.
#pragma once

#include "data/text/tokenizer.h"
#include "trainer/config/run_config.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/models/model.h"
#include "trainer/tasks/task.h"

namespace sft {

// config.json with the dtype of the weights, and the tokenizer's files with data.max_length and the side of the cut, or
// preprocessor_config.json where there is no tokenizer; of a model fine-tuned from the one in `from`.
NamedFiles exported_files(const ModelDirectory& from, const Model& model, const Task& task, const RunConfig& run,
                          const Tokenizer* tokenizer);

}  // namespace sft
