// The graph of a fine-tuned model.
#pragma once

#include "trainer/onnx/graph.h"
#include "trainer/tasks/task.h"

namespace sft::onnx {

// `tensors`: the weights of its exported files. ConfigError where the model's family, or the task, has no graph, naming
// those that have.
Graph model_graph(const Model& model, const Task& task, const ExportedTensors& tensors);

}  // namespace sft::onnx
