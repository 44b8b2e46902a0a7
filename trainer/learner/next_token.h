// Which token follows: transformers' logits processors and warpers, in their order, and then the likeliest token or a
// draw.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/tasks/generate_config.h"

namespace sft {

// What a draw follows from: the run's seed, the row, and the token's place in the answer. Never the neighbours.
struct TokenDraw {
  uint64_t seed = 0;
  int64_t row = 0, place = 0;
};

// `logits` of all words are changed; `before`: the prompt and what followed so far.
int32_t next_token(std::vector<float>& logits, std::span<const int32_t> before, const GenerateConfig& config,
                   const TokenDraw& draw);

}  // namespace sft
