// One label a text: a linear head on the pooled first row, or on the mean of all rows.
#pragma once

#include <memory>

#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

std::unique_ptr<LogitsTask> make_text_classification(const TaskSettings& settings, const Model& model);

}  // namespace sft
