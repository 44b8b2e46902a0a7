// Spans of bytes as spans of tokens, and tokens cut to the length that a sample may have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/text/tokenizer.h"
#include "trainer/tasks/causal_lm/rows/chat_spans.h"

namespace sft::causal {

struct TokenSpan {
  int32_t begin = 0, end = 0;
  bool operator==(const TokenSpan&) const = default;
};

struct SpannedTokens {
  std::vector<int32_t> ids = {};
  std::vector<TokenSpan> spans = {};  // rising, apart from each other, none empty
  int64_t straddling = 0;             // tokens that begin before a span and end in it; they are not trained

  int64_t num_trained() const;  // that are targets: the first token of a sample is none
};

// A token is trained if its first byte stands in a span.
SpannedTokens to_tokens(const PlacedTokens& tokens, const std::vector<ByteSpan>& spans);

// Tokens first … end−1 alone, with what is left of the spans.
SpannedTokens part_of(const SpannedTokens& whole, size_t first, size_t end);

// `ids` in front of all, not trained.
void put_in_front(const std::vector<int32_t>& ids, SpannedTokens& tokens);

// What of a row becomes samples. `truncation`: right, left, drop, split or error; the last is "right" here, and the
// caller's matter. None: the row is dropped.
std::vector<SpannedTokens> fitted(SpannedTokens tokens, int64_t max_length, const std::string& truncation);

}  // namespace sft::causal
