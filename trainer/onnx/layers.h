// Layers as nodes of a graph. `layer` is the name of a module in the model's files; nodes are called `makes`, or what
// begins so.
#pragma once

#include <string>
#include <vector>

#include "trainer/models/blocks/activation.h"
#include "trainer/onnx/graph.h"

namespace sft::onnx {

// [..., in] → [..., out], with the bias that the files have, or without one.
Value linear(Graph& graph, const Value& x, const std::string& layer, const Value& makes);

// Of the last axis.
Value layer_norm(Graph& graph, const Value& x, const std::string& layer, double eps, const Value& makes);

// By operators that there were before Gelu and Mish were any.
Value activate(Graph& graph, Activation activation, const Value& x, const Value& makes);

// Parts of the last axis, of these lengths, called makes.0, makes.1, …
std::vector<Value> split(Graph& graph, const Value& x, const std::vector<int64_t>& lengths, const Value& makes);

// 0, 1, … S − 1 of what is [B, S], int64 [S].
Value places_of(Graph& graph, const Value& ids_BS);

}  // namespace sft::onnx
