// The linear layers of a task's head.
#pragma once

#include <cstdint>
#include <string>

#include "trainer/models/blocks/linear.h"
#include "trainer/tasks/task.h"

namespace sft {

// From the model's width to `outputs`, initialised as the model's own layers; its parameters `name`.weight and
// `name`.bias are added to `list`, in the stage of the head.
Linear head_layer(const std::string& name, int64_t outputs, const Model& model, const TaskSettings& settings,
                  Parameters& list);

// The last one of a head, with a bias or without one and in the form that the head's shape says.
Linear output_layer(const HeadShape& shape, int64_t outputs, const Model& model, const TaskSettings& settings,
                    Parameters& list);

}  // namespace sft
