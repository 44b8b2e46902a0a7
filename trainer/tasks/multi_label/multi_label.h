// Any number of labels a text: a sigmoid for each label on the head of single-label classification, and binary
// cross-entropy.
#pragma once

#include <memory>

#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

std::unique_ptr<LogitsTask> make_multi_label(const TaskSettings& settings, const Model& model);

}  // namespace sft
