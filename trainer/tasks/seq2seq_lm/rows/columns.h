// The columns of samples that are a text and what is to be written of it: "tokens" of the source, "target_tokens".
#pragma once

#include <cstdint>

#include "data/samples/schema.h"

namespace sft::seq2seq {

inline constexpr char kTokens[] = "tokens", kTargetTokens[] = "target_tokens", kTargetAxis[] = "target_token";

// Both end in the token that ends a text; the target does not begin with the one that starts the decoder. A row that is
// to be answered has no target tokens. Bounds are sizes of vocabularies, 0: any.
inline Column tokens_column(int64_t vocab_size) {
  return {.name = kTokens, .number = Number::int32, .axis = "token", .bound = vocab_size};
}

inline Column target_tokens_column(int64_t vocab_size) {
  return {
      .name = kTargetTokens, .number = Number::int32, .axis = kTargetAxis, .bound = vocab_size, .role = Role::target};
}

inline Schema sample_schema(int64_t source_words, int64_t target_words) {
  return {.columns = {tokens_column(source_words), target_tokens_column(target_words)},
          .units = {"token", kTargetAxis}};
}

// Notes beside the samples of every split but train: the texts of the row, byte for byte, the prefix not included.
// Tokens do not tell them, because normalization and unknown characters are lost there.
inline constexpr char kSourceText[] = "source_text", kTargetText[] = "target_text";

inline Column text_column(const char* name) {
  return {.name = name, .number = Number::uint8, .axis = std::string(name) + "_byte", .role = Role::note};
}

}  // namespace sft::seq2seq
