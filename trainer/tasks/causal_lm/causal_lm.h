// Language models: every trained token is foretold from the tokens before it. Loss and scores are those of
// trainer/tasks/blocks/token_counts.h.
#pragma once

#include <memory>

#include "trainer/tasks/task.h"

namespace sft {

// ConfigError for a model that foretells no tokens.
std::unique_ptr<Task> make_causal_lm(const TaskSettings& settings, const Model& model);

}  // namespace sft
