// Translation, summaries and whatever else makes a text of a text: every token of a target is foretold from the source
// and the target's tokens before it. Loss and scores are those of trainer/tasks/blocks/token_counts.h.
#pragma once

#include <memory>

#include "trainer/tasks/task.h"

namespace sft {

// ConfigError for a model that does not read a source and write a target.
std::unique_ptr<Task> make_seq2seq_lm(const TaskSettings& settings, const Model& model);

}  // namespace sft
