// The columns of a causal language model's samples: "tokens", and "spans" of them that are learned.
#pragma once

#include <cstdint>

#include "data/samples/schema.h"

namespace sft::causal {

inline constexpr char kTokens[] = "tokens", kSpans[] = "spans", kSpanAxis[] = "span";

inline Column tokens_column(int64_t vocab_size) {
  return {.name = kTokens, .number = Number::int32, .axis = "token", .bound = vocab_size};
}

// Tokens begin … end−1 of the sample, apart from each other and rising. max_length 0: samples of any length.
inline Column spans_column(int64_t max_length) {
  return {.name = kSpans,
          .number = Number::int32,
          .shape = {2},
          .axis = kSpanAxis,
          .bound = max_length > 0 ? max_length + 1 : 0,
          .role = Role::target};
}

inline Schema sample_schema(int64_t vocab_size, int64_t max_length) {
  return {.columns = {tokens_column(vocab_size), spans_column(max_length)}, .units = {"token"}};
}

}  // namespace sft::causal
