// Low-rank adapters on a model that was built: new ones as [lora] says, or those of a directory.
#pragma once

#include <optional>

#include "trainer/adapters/low_rank_adapters.h"
#include "trainer/config/run_config.h"
#include "trainer/model_files/adapter_files.h"
#include "trainer/model_files/pretrained.h"
#include "trainer/models/model.h"
#include "trainer/tasks/task.h"

namespace sft {

// No adapters where neither [lora] nor `adapter` asks for some. `adapter`: the files to continue from, which also fill
// the head; [lora] must then be left out or agree with the files. `base`: the tensors that the base's files held.
//
// ConfigError or DataError where files and model do not fit, where they hold more than adapters and a head, and where a
// weight that nobody trained would stay frozen as it was drawn.
LowRankAdapters build_adapters(const RunConfig& config, const std::optional<AdapterFiles>& adapter, Model& model,
                               const Task& task, const LoadReport& base);

// The modules of a head as PEFT names them: "classifier" of "classifier.out_proj.weight".
StringList head_modules(const Task& task);

}  // namespace sft
