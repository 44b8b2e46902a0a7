// What transformers' logits processors do to the scores of a next token, in their order.
#pragma once

#include <cstdint>
#include <span>

#include "trainer/tasks/generate_config.h"

namespace sft {

// Where a next token stands.
struct NextPlace {
  std::span<const int32_t> before = {};  // tokens of the prompt and of the answer so far
  int64_t in_answer = 0;                 // how many of these are the answer's
  int64_t most_in_answer = 1;            // and may be
};

// Changes `scores`, one a word: logits, and in a beam search their log-softmax.
void process(std::span<float> scores, const NextPlace& place, const GenerateConfig& config);

// ConfigError for tokens beyond the vocabulary, and for settings that are not built together.
void require_built(const GenerateConfig& config, int64_t vocab_size);

}  // namespace sft
