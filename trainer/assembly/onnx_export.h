// A fine-tuned model as a directory that ONNX Runtime and optimum's ORTModelFor… classes load.
#pragma once

#include <string>

#include "trainer/config/run_config.h"
#include "trainer/learner/learner.h"
#include "trainer/model_files/model_directory.h"

namespace sft {

// Called by rank 0 alone. Makes the directory with model.onnx, the weights in float32 with adapters merged, and the
// files `beside` (exported_files()), as publish_directory() does. Weights of more than save.max_shard_bytes, or 2 GiB,
// stand in a file of their own. Nothing is made, and it is a ConfigError, where the model or its task has no graph;
// ExitCode::not_finite where a weight is no number.
void export_onnx(const std::string& directory, const Learner& learner, const NamedFiles& beside, const RunConfig& run);

}  // namespace sft
