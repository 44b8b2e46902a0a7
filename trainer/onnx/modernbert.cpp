// B rows, S tokens, C channels, H heads of D channels, I inner ones.
#include "trainer/onnx/modernbert.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "trainer/models/modernbert/modernbert_config.h"
#include "trainer/onnx/attention.h"
#include "trainer/onnx/layers.h"

namespace sft::onnx {
namespace {

// How blocks with a window, or those without one, see the tokens.
struct Sight {
  Value cosines, sines;  // [S, 1, D/2] of position · frequency
  Value bias;            // added to scores
};

Sight sight(Graph& graph, const RotaryRule& rule, const Value& places_S, const Value& bias, const std::string& as) {
  const Value column_S11 = graph.node("Unsqueeze", as + ".column", {places_S, graph.integers({1, 2})});
  const Value frequencies = graph.vector(as + ".frequencies", rotary_frequencies(rule));
  const Value angles = graph.node("Mul", as + ".angles", {column_S11, frequencies});
  return {graph.node("Cos", as + ".cosines", {angles}), graph.node("Sin", as + ".sines", {angles}), bias};
}

// Also kNotRead where a key is farther away than the window, [B, 1, S, S].
Value bias_within(Graph& graph, int64_t window, const Value& places_S, const Value& bias_B11S) {
  const Value of_query = graph.node("Unsqueeze", "window.queries", {places_S, graph.integers({1})});
  const Value apart_SS = graph.node("Abs", "window.apart", {graph.node("Sub", "window.steps", {of_query, places_S})});
  const Value beyond_SS = graph.node("Greater", "window.beyond", {apart_SS, graph.real(static_cast<float>(window))});
  const Value bias_SS = graph.node("Where", "window.own", {beyond_SS, graph.real(kNotRead), graph.real(0)});
  return graph.node("Min", "window.bias", {bias_B11S, bias_SS});
}

// x [B, S, C] in heads [B, H, S, D], in each of which the channels c and c + D/2 are turned as a point of the plane.
Value turned(Graph& graph, const Value& x_BSC, const Heads& heads, const Sight& sight, const Value& makes) {
  const auto part = [&](const char* name) { return concat(makes, ".", name); };
  const auto times = [&](const char* name, const Value& x, const Value& by) {
    return graph.node("Mul", part(name), {x, by});
  };
  const Value x_BSHD = graph.node("Reshape", part("cut"), {x_BSC, graph.integers({0, 0, heads.count, heads.width})});
  const std::vector<Value> halves = split(graph, x_BSHD, {heads.width / 2, heads.width / 2}, part("halves"));
  const Value low = graph.node("Sub", part("low"),
                               {times("low_cos", halves[0], sight.cosines), times("high_sin", halves[1], sight.sines)});
  const Value high = graph.node(
      "Add", part("high"), {times("high_cos", halves[1], sight.cosines), times("low_sin", halves[0], sight.sines)});
  const Value both_BSHD = graph.node("Concat", part("both"), {low, high}, {{"axis", int64_t{-1}}});
  return graph.node("Transpose", makes, {both_BSHD}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
}

// Weights are called weights + "attn.Wqkv" and so on, nodes as + "attn.Wqkv".
Value block(Graph& graph, const ModernBertConfig& config, const std::string& weights, const std::string& as,
            const Value& x_BSC, const Sight& sight) {
  const Heads heads{.count = config.heads, .width = config.width / config.heads};
  const auto normed = [&](const Value& x, const char* norm) {
    return layer_norm(graph, x, weights + norm, config.norm_eps, as + norm);
  };
  const auto layer = [&](const Value& x, const char* name) { return linear(graph, x, weights + name, as + name); };

  const bool has_norm = graph.has(weights + "attn_norm.weight");  // the first block has none: embeddings are normed
  const Value all = layer(has_norm ? normed(x_BSC, "attn_norm") : x_BSC, "attn.Wqkv");
  const std::vector<Value> parts = split(graph, all, {config.width, config.width, config.width}, as + "attn.parts");
  const Value query = turned(graph, parts[0], heads, sight, as + "attn.query");
  const Value key = turned(graph, parts[1], heads, sight, as + "attn.key");
  const Value value = in_heads(graph, parts[2], heads, as + "attn.value");
  const Value read = attended(graph, query, key, value, sight.bias, heads, as + "attn");
  const Value middle = graph.node("Add", as + "middle", {layer(read, "attn.Wo"), x_BSC});

  const Value both = layer(normed(middle, "mlp_norm"), "mlp.Wi");
  const std::vector<Value> halves = split(graph, both, {config.inner, config.inner}, as + "mlp.halves");
  const Value gate = activate(graph, config.activation, halves[0], as + "mlp.gate");
  const Value gated = graph.node("Mul", as + "mlp.gated", {gate, halves[1]});
  return graph.node("Add", as + "output", {layer(gated, "mlp.Wo"), middle});
}

}  // namespace

Encoded modernbert(Graph& graph, const Model& model, const TextInput& input) {
  nlohmann::json content = model.config();
  const ModernBertConfig config = read_modernbert_config(content);
  const std::string prefix = model.prefix();
  const Value places_S = graph.node("Cast", "places.real", {places_of(graph, input.ids_BS)}, {to(Element::float32)});
  const Value padding = padding_bias(graph, input.mask_BS);
  const int64_t window = *std::ranges::max_element(config.windows);  // the same in all blocks that have one
  const Sight all = sight(graph, config.full, places_S, padding, "rotary");
  const Sight near = window == 0 ? all
                                 : sight(graph, config.sliding, places_S,
                                         bias_within(graph, window, places_S, padding), "rotary.window");

  const Value words = graph.node("Gather", "embeddings.words",
                                 {graph.weight(prefix + "embeddings.tok_embeddings.weight"), input.ids_BS});
  Value x_BSC = layer_norm(graph, words, prefix + "embeddings.norm", config.norm_eps, "embeddings.normed");
  for (int64_t i = 0; i < config.blocks; ++i) {
    const bool has_window = config.windows[static_cast<size_t>(i)] > 0;
    x_BSC = block(graph, config, concat(prefix, "layers.", i, "."), concat("block.", i, "."), x_BSC,
                  has_window ? near : all);
  }
  return {layer_norm(graph, x_BSC, prefix + "final_norm", config.norm_eps, "final_norm")};
}

}  // namespace sft::onnx
