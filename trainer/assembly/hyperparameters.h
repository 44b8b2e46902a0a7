// What tells a run from others: for boards that compare runs by their settings.
#pragma once

#include <nlohmann/json.hpp>

#include "trainer/config/run_config.h"

namespace sft {

// Key → number, bool or text: of those settings that are not the usual ones, and of those that nearly every comparison
// is about. Lists and tables are written as JSON. Without output_dir, [hooks] and [sweep].
nlohmann::ordered_json hyperparameters(const RunConfig& config);

}  // namespace sft
