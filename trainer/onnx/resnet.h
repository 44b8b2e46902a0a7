// ResNet, on pictures of any size.
#pragma once

#include "trainer/models/model.h"
#include "trainer/onnx/graph.h"

namespace sft::onnx {

// Declares pixel_values, scaled as preprocessor_config.json says; the mean of each feature map, [B, C].
Value resnet(Graph& graph, const Model& model);

}  // namespace sft::onnx
