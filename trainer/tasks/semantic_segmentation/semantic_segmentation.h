// A class for each pixel: a convolution of one pixel on the maps that the model's decode head gives, brought bilinearly
// to the masks' size.
#pragma once

#include <memory>

#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

// ConfigError where the settings do not fit, or there is one label.
std::unique_ptr<LogitsTask> make_semantic_segmentation(const TaskSettings& settings, const Model& model);

}  // namespace sft
