// The columns of a translator's samples: "tokens", the source, and "target_tokens", what is to be written of it. Both
// end in the token that ends a text; what a decoder starts with stands in neither.
#pragma once

#include <cstdint>

#include "data/samples/schema.h"

namespace sft::seq2seq {

inline constexpr char kTokens[] = "tokens", kTargetTokens[] = "target_tokens", kTargetAxis[] = "target_token";

inline Column tokens_column(int64_t vocab_size) {
  return {.name = kTokens, .number = Number::int32, .axis = "token", .bound = vocab_size};
}

// None in rows that are only to be translated.
inline Column target_tokens_column(int64_t vocab_size) {
  return {
      .name = kTargetTokens, .number = Number::int32, .axis = kTargetAxis, .bound = vocab_size, .role = Role::target};
}

}  // namespace sft::seq2seq
