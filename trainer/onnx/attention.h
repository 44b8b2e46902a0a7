// Attention over padded rows: B rows, H heads, S tokens, D channels of a head, C = H · D.
#pragma once

#include <cstdint>

#include "trainer/onnx/graph.h"

namespace sft::onnx {

// Where attention takes no key: far enough below any score that its share of a softmax is 0, as transformers has it.
inline constexpr float kNotRead = -3.4028234663852886e38F;

struct Heads {
  int64_t count = 1, width = 1;
};

// Added to scores, [B, 1, 1, S]: 0 where mask_BS, float32, is 1, kNotRead where it is 0.
Value padding_bias(Graph& graph, const Value& mask_BS);

// [B, S, C] → [B, H, S, D]
Value in_heads(Graph& graph, const Value& x_BSC, Heads heads, const Value& makes);

// What softmax(q kᵀ / √D + bias) v reads, [B, S, C], of queries, keys and values [B, H, S, D]. Bias "": none.
Value attended(Graph& graph, const Value& query, const Value& key, const Value& value, const Value& bias, Heads heads,
               const Value& makes);

}  // namespace sft::onnx
