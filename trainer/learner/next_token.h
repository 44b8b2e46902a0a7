// The choice of the next token: transformers' logits processors and warpers, in their order, then the likeliest token
// or a draw.
#pragma once

#include <cstdint>
#include <span>

#include "trainer/learner/logits_processors.h"
#include "trainer/tasks/generate_config.h"

namespace sft {

// The key of a draw: the run's seed, the row, and the token's place in the answer, but never the neighbours in a batch.
struct TokenDraw {
  uint64_t seed = 0;
  int64_t row = 0, place = 0;
};

// Changes `logits`, one a word.
int32_t next_token(std::span<float> logits, const NextPlace& place, const GenerateConfig& config,
                   const TokenDraw& draw);

}  // namespace sft
