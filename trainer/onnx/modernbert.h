// ModernBERT: pre-norm blocks, rotary positions, windows in most blocks, gated MLPs.
#pragma once

#include "trainer/onnx/text_input.h"

namespace sft::onnx {

Encoded modernbert(Graph& graph, const Model& model, const TextInput& input);

}  // namespace sft::onnx
