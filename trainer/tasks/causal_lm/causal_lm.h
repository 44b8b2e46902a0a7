// Language models: every trained token is foretold from the tokens before it.
//
// Loss and scores are sums over trained tokens, divided once: `loss` is the mean of −log p, `perplexity` e to it, never
// a mean of means; `token_accuracy` the share of tokens that were the likeliest.
#pragma once

#include <memory>

#include "trainer/tasks/task.h"

namespace sft {

// ConfigError for a model that foretells no tokens.
std::unique_ptr<Task> make_causal_lm(const TaskSettings& settings, const Model& model);

}  // namespace sft
