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

// None where neither asks for some. `adapter`: the files to go on from, which also fill the head; [lora] may then be
// left out, and where it is there it must say what the files do. `base`: what the files of the base held.
//
// ConfigError or DataError where files and model do not fit, where they hold more than adapters and a head, and where a
// weight that nobody trained would stay frozen as it was drawn.
LowRankAdapters build_adapters(const RunConfig& config, const std::optional<AdapterFiles>& adapter, Model& model,
                               const Task& task, const LoadReport& base);

// Of [lora], or of the adapter's files where there is no such section.
bool wants_adapters(const RunConfig& config, const std::optional<AdapterFiles>& adapter);

// The modules of a head as PEFT names them: "classifier" of "classifier.out_proj.weight".
StringList head_modules(const Task& task);

}  // namespace sft
