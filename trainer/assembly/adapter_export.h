// Adapters as PEFT reads them.
#pragma once

#include <string>

#include "trainer/config/run_config.h"
#include "trainer/learner/learner.h"
#include "trainer/model_files/model_directory.h"

namespace sft {

// adapter_config.json of a learner with adapters; `base` is the model that they stand on.
NamedFiles adapter_files(const Learner& learner, const RunConfig& config, const ModelDirectory& base);

// A, B and the head under PEFT's names.
Parameters peft_tensors(const Learner& learner);

// Of the weights that do not train. A checkpoint of adapters lacks them, and is of no use on others.
std::string base_checksum(const Learner& learner);

}  // namespace sft
