// B rows, S tokens, C channels, K outputs.
#include "trainer/onnx/head.h"

#include "base/text.h"
#include "trainer/onnx/layers.h"

namespace sft::onnx {
namespace {

Value first_token(Graph& graph, const Value& rows_BSC) {
  return graph.node("Gather", "pooled.first", {rows_BSC, graph.integer(0)}, {{"axis", int64_t{1}}});
}

// Over the tokens, padding left out.
Value mean_of_tokens(Graph& graph, const TextInput& input, const Value& rows_BSC) {
  const Value mask_BS1 = graph.node("Unsqueeze", "pooled.mask", {input.mask_BS, graph.integers({2})});
  const Value tokens_BSC = graph.node("Mul", "pooled.tokens", {rows_BSC, mask_BS1});
  const auto sum = [&](const Value& of, const char* makes) {
    return graph.node("ReduceSum", makes, {of, graph.integers({1})}, {{"keepdims", int64_t{0}}});
  };
  return graph.node("Div", "pooled.mean", {sum(tokens_BSC, "pooled.sum"), sum(mask_BS1, "pooled.count")});
}

Value pooled(Graph& graph, Pooling pooling, const TextInput& input, const Encoded& encoded) {
  if (pooling == Pooling::mean) return mean_of_tokens(graph, input, encoded.rows_BSC);
  const Value first = first_token(graph, encoded.rows_BSC);
  if (pooling == Pooling::cls) return first;
  return graph.node("Tanh", "pooled", {linear(graph, first, encoded.pooler, "pooled.dense")});
}

// What stands in front of the output layer.
Value prepared(Graph& graph, const HeadShape& shape, Value x) {
  if (!shape.hidden.empty())
    x = activate(graph, shape.activation, linear(graph, x, shape.hidden, "head.hidden"), "head.active");
  if (shape.norm) x = layer_norm(graph, x, shape.norm->name, shape.norm->eps, "head.normed");
  return x;
}

}  // namespace

Value read_of_texts(Graph& graph, const HeadFacts& head, const TextInput& input, const Encoded& encoded) {
  return head.pooling ? pooled(graph, *head.pooling, input, encoded) : encoded.rows_BSC;
}

void add_head(Graph& graph, const HeadFacts& head, const Value& read) {
  const Value x = prepared(graph, head.shape, read);
  const int64_t outputs = graph.shape_of(head.shape.output + ".weight").front();
  Axes axes{"batch_size"};
  if (!head.pooling) axes.emplace_back("sequence_length");
  if (head.outputs.size() == 1) {
    linear(graph, x, head.shape.output, head.outputs.front());
    axes.emplace_back(outputs);
    return graph.output(head.outputs.front(), Element::float32, axes);
  }
  const Value all = linear(graph, x, head.shape.output, "outputs");
  const std::vector<Value> parts = split(graph, all, std::vector<int64_t>(head.outputs.size(), 1), "output");
  for (size_t i = 0; i < parts.size(); ++i) {
    graph.node("Squeeze", head.outputs[i], {parts[i], graph.integers({-1})});
    graph.output(head.outputs[i], Element::float32, axes);
  }
}

}  // namespace sft::onnx
