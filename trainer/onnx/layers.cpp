#include "trainer/onnx/layers.h"

#include <numbers>

#include "base/text.h"

namespace sft::onnx {
namespace {

// x · Φ(x), in the form that runtimes look for to make it one operator.
Value gelu(Graph& graph, const Value& x, const Value& makes) {
  const auto part = [&](const char* name) { return concat(makes, ".", name); };
  const Value scaled = graph.node("Div", part("scaled"), {x, graph.real(std::numbers::sqrt2_v<float>)});
  const Value erf = graph.node("Erf", part("erf"), {scaled});
  const Value one_more = graph.node("Add", part("one_more"), {erf, graph.real(1)});
  const Value product = graph.node("Mul", part("product"), {x, one_more});
  return graph.node("Mul", makes, {product, graph.real(0.5)});
}

// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))): Hendrycks and Gimpel (2016).
Value gelu_tanh(Graph& graph, const Value& x, const Value& makes) {
  const auto part = [&](const char* name) { return concat(makes, ".", name); };
  const Value square = graph.node("Mul", part("square"), {x, x});
  const Value cube = graph.node("Mul", part("cube"), {square, x});
  const Value small = graph.node("Mul", part("small"), {cube, graph.real(0.044715F)});
  const Value sum = graph.node("Add", part("sum"), {x, small});
  const auto factor = static_cast<float>(std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
  const Value scaled = graph.node("Mul", part("scaled"), {sum, graph.real(factor)});
  const Value tanh = graph.node("Tanh", part("tanh"), {scaled});
  const Value one_more = graph.node("Add", part("one_more"), {tanh, graph.real(1)});
  const Value product = graph.node("Mul", part("product"), {x, one_more});
  return graph.node("Mul", makes, {product, graph.real(0.5)});
}

// x times a number from 0 to 1, by itself, by a multiple, by its softplus.
Value gated_by_itself(Graph& graph, const std::string& op, const Value& of, const Value& x, const Value& makes) {
  return graph.node("Mul", makes, {x, graph.node(op, makes + ".gate", {of})});
}

}  // namespace

Value linear(Graph& graph, const Value& x, const std::string& layer, const Value& makes) {
  const bool has_bias = graph.has(layer + ".bias");
  const Value product =
      graph.node("MatMul", has_bias ? makes + ".product" : makes, {x, graph.transposed(layer + ".weight")});
  return has_bias ? graph.node("Add", makes, {product, graph.weight(layer + ".bias")}) : product;
}

Value layer_norm(Graph& graph, const Value& x, const std::string& layer, double eps, const Value& makes) {
  std::vector<Value> takes{x, graph.weight(layer + ".weight")};
  if (graph.has(layer + ".bias")) takes.push_back(graph.weight(layer + ".bias"));
  return graph.node("LayerNormalization", makes, takes,
                    {{"axis", int64_t{-1}}, {"epsilon", static_cast<float>(eps)}});
}

Value activate(Graph& graph, Activation activation, const Value& x, const Value& makes) {
  switch (activation) {
    case Activation::gelu:
      return gelu(graph, x, makes);
    case Activation::gelu_tanh:
      return gelu_tanh(graph, x, makes);
    case Activation::relu:
      return graph.node("Relu", makes, {x});
    case Activation::silu:
      return gated_by_itself(graph, "Sigmoid", x, x, makes);
    case Activation::tanh:
      return graph.node("Tanh", makes, {x});
    case Activation::sigmoid:
      return graph.node("Sigmoid", makes, {x});
    case Activation::mish:
      return gated_by_itself(graph, "Tanh", graph.node("Softplus", makes + ".softplus", {x}), x, makes);
    case Activation::quick_gelu:
      break;
  }
  return gated_by_itself(graph, "Sigmoid", graph.node("Mul", makes + ".scaled", {x, graph.real(1.702F)}), x, makes);
}

std::vector<Value> split(Graph& graph, const Value& x, const std::vector<int64_t>& lengths, const Value& makes) {
  std::vector<Value> parts;
  for (size_t i = 0; i < lengths.size(); ++i) parts.push_back(concat(makes, ".", i));
  graph.node("Split", parts, {x, graph.integers(lengths)}, {{"axis", int64_t{-1}}});
  return parts;
}

Value places_of(Graph& graph, const Value& ids_BS) {
  const Value length = graph.node("Shape", "places.length", {ids_BS}, {{"start", int64_t{1}}, {"end", int64_t{2}}});
  const Value end = graph.node("Squeeze", "places.end", {length, graph.integers({0})});
  return graph.node("Range", "places", {graph.integer(0), end, graph.integer(1)});
}

}  // namespace sft::onnx
