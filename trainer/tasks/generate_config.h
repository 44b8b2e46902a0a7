// The [generate] section: how language models go on. Names and meanings are transformers' GenerationConfig's.
#pragma once

#include <cstdint>

#include "base/schema.h"

namespace sft {

// Of [eval]: whether evaluations let a language model answer.
struct AnswerConfig {
  bool generate = false;
  int64_t max_generate_samples = 200;

  static constexpr auto fields() {
    return std::tuple{field("generate", &AnswerConfig::generate,
                            "language models answer rows of the evaluation too, and the answers are scored"),
                      field("max_generate_samples", &AnswerConfig::max_generate_samples,
                            "so many rows are answered, chosen by the seed", at_least(int64_t{1}))};
  }
};

struct GenerateConfig {
  int64_t max_new_tokens = 256;
  bool do_sample = false;
  double temperature = 1.0;
  int64_t top_k = 50;
  double top_p = 1.0;
  double repetition_penalty = 1.0;
  int64_t no_repeat_ngram_size = 0;
  int64_t num_beams = 1;
  NumberList eos_token_id = {};

  static constexpr auto fields() {
    return std::tuple{
        field("max_new_tokens", &GenerateConfig::max_new_tokens, "tokens after the prompt, at most",
              at_least(int64_t{1})),
        field("do_sample", &GenerateConfig::do_sample, "draw the next token; false: take the likeliest"),
        field("temperature", &GenerateConfig::temperature, "of do_sample: logits are divided by it", above(0.0)),
        field("top_k", &GenerateConfig::top_k, "of do_sample: among so many likeliest tokens; 0: all",
              at_least(int64_t{0})),
        field("top_p", &GenerateConfig::top_p,
              "of do_sample: among the fewest likeliest tokens that have this probability together",
              in_range(0.0, 1.0)),
        field("repetition_penalty", &GenerateConfig::repetition_penalty,
              "above 1: tokens that were there, the prompt's included, become less likely", above(0.0)),
        field("no_repeat_ngram_size", &GenerateConfig::no_repeat_ngram_size,
              "no run of so many tokens comes twice; 0: off", at_least(int64_t{0})),
        field("num_beams", &GenerateConfig::num_beams, "1: no beam search", only(int64_t{1})),
        field("eos_token_id", &GenerateConfig::eos_token_id, "tokens that end an answer; []: the model's",
              at_least(0.0))};
  }
};

}  // namespace sft
