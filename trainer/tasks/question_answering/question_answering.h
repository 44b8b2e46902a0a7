// Questions answered by a span of a text: scores of its first and of its last token, on every token of a window.
#pragma once

#include <memory>

#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

// Whether null answers may be given, settings that leave it open take from the training samples, or, where there are
// none, from what describe() has left in the model's config.json. ConfigError where the settings do not fit the task.
std::unique_ptr<LogitsTask> make_question_answering(const TaskSettings& settings, const Model& model);

}  // namespace sft
