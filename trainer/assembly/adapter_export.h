// Adapters as PEFT reads them.
#pragma once

#include <string>

#include "trainer/config/run_config.h"
#include "trainer/learner/learner.h"
#include "trainer/model_files/model_directory.h"
#include "trainer/model_files/model_export.h"

namespace sft {

// adapter_config.json of a learner with adapters; `base` is the model that they stand on.
NamedFiles adapter_files(const Learner& learner, const RunConfig& config, const ModelDirectory& base);

// Tensors A and B of each adapter, and the head, under PEFT's names.
ExportedTensors peft_tensors(const Learner& learner);

}  // namespace sft
