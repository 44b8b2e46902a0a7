// eval.temperature_scaling and eval.tune_thresholds: settled on the validation rows once training has ended, for the
// model that is left.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "trainer/assembly/assemble.h"

namespace sft {

// ConfigError where the task does not give labels by their probability.
void check_decisions(const RunConfig& config, Task& task);

// Every rank calls. Divides the logits by the temperature of least loss, then sets each label's threshold, and puts
// both into run.files. What came of it, for summary.json: {"temperature", "thresholds": {label: number}, "rows",
// "before" and "after": metrics on the validation rows}; null where neither is asked for.
nlohmann::ordered_json settle_decisions(Assembly& run);

}  // namespace sft
