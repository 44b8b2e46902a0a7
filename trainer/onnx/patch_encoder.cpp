// B pictures of T rows, the class token's and those of P patches; C channels.
#include "trainer/onnx/patch_encoder.h"

#include "base/text.h"
#include "trainer/models/blocks/patch_encoder.h"
#include "trainer/onnx/attention.h"
#include "trainer/onnx/layers.h"

namespace sft::onnx {
namespace {

// Each patch through one convolution, the class token in front of them, and all at their positions.
Value embedded(Graph& graph, const PatchEncoder& model) {
  const PatchShape& shape = model.shape();
  const std::string weights = model.prefix() + "embeddings.", patch = weights + "patch_embeddings.projection";
  const Value pixels = graph.input("pixel_values", Element::float32,
                                   {"batch_size", shape.pixels.channels(), shape.image_height, shape.image_width});
  const Value cut_BCHW =
      graph.node("Conv", "embeddings.cut", {pixels, graph.weight(patch + ".weight"), graph.weight(patch + ".bias")},
                 {{"strides", std::vector<int64_t>{shape.patch_size, shape.patch_size}}});
  const Value flat_BCP = graph.node("Reshape", "embeddings.flat", {cut_BCHW, graph.integers({0, 0, -1})});
  const Value patches_BPC =
      graph.node("Transpose", "embeddings.patches", {flat_BCP}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
  const Value pictures =
      graph.node("Shape", "embeddings.pictures", {pixels}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
  const Value as_many =
      graph.node("Concat", "embeddings.as_many", {pictures, graph.integers({1, 1})}, {{"axis", int64_t{0}}});
  const Value tokens_B1C =
      graph.node("Expand", "embeddings.class_tokens", {graph.weight(weights + "cls_token"), as_many});
  const Value rows_BTC = graph.node("Concat", "embeddings.rows", {tokens_B1C, patches_BPC}, {{"axis", int64_t{1}}});
  return graph.node("Add", "embeddings", {rows_BTC, graph.weight(weights + "position_embeddings")});
}

Value mlp(Graph& graph, const PatchShape& shape, const Value& inner, const Value& makes) {
  if (!shape.is_gated) return activate(graph, shape.activation, inner, makes);
  const std::vector<Value> halves = split(graph, inner, {shape.inner, shape.inner}, makes + ".halves");
  return graph.node("Mul", makes, {activate(graph, Activation::silu, halves[0], makes + ".gate"), halves[1]});
}

Value block(Graph& graph, const PatchEncoder& model, int64_t i, const Value& x_BTC) {
  const PatchShape& shape = model.shape();
  const PatchNames& names = model.names();
  const std::string weights = concat(model.prefix(), "encoder.layer.", i, "."), as = concat("block.", i, ".");
  const Heads heads{.count = shape.heads, .width = shape.width / shape.heads};
  const auto layer = [&](const Value& x, const std::string& name) {
    return linear(graph, x, weights + name, as + name);
  };
  const auto normed = [&](const Value& x, const std::string& name) {
    return layer_norm(graph, x, weights + name, shape.norm_eps, as + name);
  };
  const auto added = [&](Value made, const Value& given, const std::string& scale, const std::string& makes) {
    if (graph.has(weights + scale)) made = graph.node("Mul", as + scale, {made, graph.weight(weights + scale)});
    return graph.node("Add", as + makes, {made, given});
  };
  const Value first = normed(x_BTC, names.input_norm);
  const auto projected = [&](const char* name) {
    return in_heads(graph, layer(first, concat("attention.attention.", name)), heads, as + name);
  };
  const Value query = projected("query"), key = projected("key"), value = projected("value");
  const Value read = attended(graph, query, key, value, "", heads, as + "attention");
  const Value middle = added(layer(read, "attention.output.dense"), x_BTC, "layer_scale1.lambda1", "middle");

  const Value inner = layer(normed(middle, names.output_norm), names.inner);
  return added(layer(mlp(graph, shape, inner, as + "mlp"), names.output), middle, "layer_scale2.lambda1", "out");
}

Value rows(Graph& graph, const PatchEncoder& model) {
  Value x_BTC = embedded(graph, model);
  for (int64_t i = 0; i < model.shape().blocks; ++i) x_BTC = block(graph, model, i, x_BTC);
  return layer_norm(graph, x_BTC, model.prefix() + "layernorm", model.shape().norm_eps, "normed");
}

Value first_row(Graph& graph, const Value& rows_BTC) {
  return graph.node("Gather", "class_token", {rows_BTC, graph.integer(0)}, {{"axis", int64_t{1}}});
}

}  // namespace

Value class_token(Graph& graph, const Model& model) {
  return first_row(graph, rows(graph, dynamic_cast<const PatchEncoder&>(model)));
}

Value class_token_and_patches(Graph& graph, const Model& any) {
  const auto& model = dynamic_cast<const PatchEncoder&>(any);
  const Value rows_BTC = rows(graph, model);
  const Value token_BC = first_row(graph, rows_BTC);
  const Value patches_BPC = graph.node(
      "Slice", "patches", {rows_BTC, graph.integers({1}), graph.integers({model.shape().rows()}), graph.integers({1})});
  const Value mean_BC = graph.node("ReduceMean", "patches.mean", {patches_BPC},
                                   {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
  return graph.node("Concat", "token_and_patches", {token_BC, mean_BC}, {{"axis", int64_t{1}}});
}

}  // namespace sft::onnx
