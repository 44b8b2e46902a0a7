// B rows, S tokens, C channels, H heads of D channels.
#include "trainer/onnx/post_norm_encoder.h"

#include "base/text.h"
#include "trainer/models/blocks/text_encoder.h"
#include "trainer/onnx/attention.h"
#include "trainer/onnx/layers.h"

namespace sft::onnx {
namespace {

constexpr char kTables[] = "embeddings.";

// Where RoBERTa's kin count from behind the padding's row, and only tokens that are no padding: of a token its place
// among those and the padding's number, of padding that number.
Value positions_behind_padding(Graph& graph, const EncoderShape& shape, const Value& ids_BS) {
  const Value is_padding = graph.node("Equal", "positions.is_padding", {ids_BS, graph.integer(shape.padding_id)});
  const Value is_token = graph.node("Not", "positions.is_token", {is_padding});
  const Value ones_BS = graph.node("Cast", "positions.ones", {is_token}, {to(Element::int64)});
  const Value counts_BS = graph.node("CumSum", "positions.counts", {ones_BS, graph.integer(1)});
  const Value places_BS = graph.node("Mul", "positions.places", {counts_BS, ones_BS});
  return graph.node("Add", "positions", {places_BS, graph.integer(shape.padding_position)});
}

// Words, positions and kinds of tokens, added up and normed, and brought to the width of the blocks where they are
// narrower.
Value embedded(Graph& graph, const TextEncoder& model, const TextInput& input) {
  const EncoderShape& shape = model.shape();
  const std::string tables = model.prefix() + kTables;
  const auto rows = [&](const char* table, const Value& ids, const char* makes) {
    return graph.node("Gather", makes, {graph.weight(tables + table + ".weight"), ids});
  };
  Value sum = rows("word_embeddings", input.ids_BS, "embeddings.words");
  const Value positions = shape.padding_position >= 0 ? positions_behind_padding(graph, shape, input.ids_BS)
                                                      : places_of(graph, input.ids_BS);
  sum = graph.node("Add", "embeddings.placed", {sum, rows("position_embeddings", positions, "embeddings.positions")});
  if (shape.segments > 0) {
    const Value kinds = input.segments_BS.empty()
                            ? graph.weight(tables + "token_type_embeddings.weight")  // of one row
                            : rows("token_type_embeddings", input.segments_BS, "embeddings.kinds");
    sum = graph.node("Add", "embeddings.sum", {sum, kinds});
  }
  const Value normed = layer_norm(graph, sum, tables + "LayerNorm", shape.norm_eps, "embeddings.normed");
  const std::string& projection = model.names().projection;
  return projection.empty() ? normed : linear(graph, normed, model.prefix() + projection, "embeddings.projected");
}

// Each half of a block adds to what it was given, and norms the sum.
Value block(Graph& graph, const TextEncoder& model, int64_t i, const Value& x_BSC, const Value& bias) {
  const EncoderShape& shape = model.shape();
  const EncoderNames& names = model.names();
  const std::string weights = model.prefix() + model.block_name(i / shape.blocks_sharing_weights);
  const std::string as = concat("block.", i, ".");
  const Heads heads{.count = shape.heads, .width = shape.width / shape.heads};
  const auto projected = [&](const std::string& layer, const char* makes) {
    return in_heads(graph, linear(graph, x_BSC, weights + layer, concat(as, makes, ".projected")), heads, as + makes);
  };
  const auto closed = [&](const Value& made, const Value& given, const std::string& norm, const std::string& makes) {
    const Value sum = graph.node("Add", makes + ".sum", {made, given});
    return layer_norm(graph, sum, weights + norm, shape.norm_eps, makes);
  };
  const Value query = projected(names.query, "query"), key = projected(names.key, "key"),
              value = projected(names.value, "value");
  const Value read = attended(graph, query, key, value, bias, heads, as + "attention");
  const Value attention = linear(graph, read, weights + names.attention_output, as + "attention.output");
  const Value middle = closed(attention, x_BSC, names.attention_norm, as + "attention.normed");

  const Value inner = linear(graph, middle, weights + names.intermediate, as + "inner");
  const Value active = activate(graph, shape.activation, inner, as + "inner.active");
  const Value output = linear(graph, active, weights + names.output, as + "output");
  return closed(output, middle, names.output_norm, as + "normed");
}

}  // namespace

Encoded post_norm_encoder(Graph& graph, const Model& any, const TextInput& input) {
  const auto& model = dynamic_cast<const TextEncoder&>(any);
  const Value bias = padding_bias(graph, input.mask_BS);
  Value x_BSC = embedded(graph, model, input);
  for (int64_t i = 0; i < model.shape().blocks; ++i) x_BSC = block(graph, model, i, x_BSC, bias);
  return {x_BSC, model.has_pooler() ? model.prefix() + model.pooler_name() : ""};
}

}  // namespace sft::onnx
