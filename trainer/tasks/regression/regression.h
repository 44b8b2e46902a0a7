// One or more real numbers a text, on the head of single-label classification.
#pragma once

#include <memory>

#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

std::unique_ptr<LogitsTask> make_regression(const TaskSettings& settings, const Model& model);

}  // namespace sft
