// One label an image: a linear layer on the mean over the last feature map.
#pragma once

#include <memory>

#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

std::unique_ptr<LogitsTask> make_image_classification(const TaskSettings& settings, const Model& model);

}  // namespace sft
