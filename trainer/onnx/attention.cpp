#include "trainer/onnx/attention.h"

#include <cmath>

#include "base/text.h"

namespace sft::onnx {

Value padding_bias(Graph& graph, const Value& mask_BS) {
  const Value mask_B11S = graph.node("Unsqueeze", "padding.mask", {mask_BS, graph.integers({1, 2})});
  const Value padding_B11S = graph.node("Sub", "padding", {graph.real(1), mask_B11S});
  return graph.node("Mul", "padding.bias", {padding_B11S, graph.real(kNotRead)});
}

Value in_heads(Graph& graph, const Value& x_BSC, Heads heads, const Value& makes) {
  // 0: as long as it is
  const Value x_BSHD = graph.node("Reshape", makes + ".cut", {x_BSC, graph.integers({0, 0, heads.count, heads.width})});
  return graph.node("Transpose", makes, {x_BSHD}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
}

Value attended(Graph& graph, const Value& query, const Value& key, const Value& value, const Value& bias, Heads heads,
               const Value& makes) {
  const auto part = [&](const char* name) { return concat(makes, ".", name); };
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(heads.width)));
  const Value key_BHDS =
      graph.node("Transpose", part("keys"), {key}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  const Value products_BHSS = graph.node("MatMul", part("products"), {query, key_BHDS});
  const Value scaled_BHSS = graph.node("Mul", part("scaled"), {products_BHSS, graph.real(scale)});
  const Value scores_BHSS = bias.empty() ? scaled_BHSS : graph.node("Add", part("scores"), {scaled_BHSS, bias});
  const Value shares_BHSS = graph.node("Softmax", part("shares"), {scores_BHSS}, {{"axis", int64_t{-1}}});
  const Value read_BHSD = graph.node("MatMul", part("read"), {shares_BHSS, value});
  const Value read_BSHD =
      graph.node("Transpose", part("side_by_side"), {read_BHSD}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  return graph.node("Reshape", makes, {read_BSHD, graph.integers({0, 0, heads.count * heads.width})});
}

}  // namespace sft::onnx
