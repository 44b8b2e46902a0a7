// ViT and DINOv2, on pictures of the size of their table of positions.
#pragma once

#include "trainer/models/model.h"
#include "trainer/onnx/graph.h"

namespace sft::onnx {

// Declare pixel_values, scaled as preprocessor_config.json says, and give what a head reads of each picture.
Value class_token(Graph& graph, const Model& model);                // [B, C], ViT
Value class_token_and_patches(Graph& graph, const Model& model);  // [B, 2 C], DINOv2: behind it the mean of the patches

}  // namespace sft::onnx
