// The [generate] section: how language models go on. Names and meanings are transformers' GenerationConfig's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

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
  int64_t min_length = 0;
  int64_t min_new_tokens = 0;
  bool do_sample = false;
  double temperature = 1.0;
  int64_t top_k = 50;
  double top_p = 1.0;
  double repetition_penalty = 1.0;
  int64_t no_repeat_ngram_size = 0;
  NumberLists bad_words_ids = {};
  int64_t num_beams = 1;
  double length_penalty = 1.0;
  std::string early_stopping = "false";
  bool renormalize_logits = false;
  int64_t num_return_sequences = 1;
  NumberList eos_token_id = {};
  NumberList forced_bos_token_id = {};
  NumberList forced_eos_token_id = {};

  static constexpr auto fields() {
    return std::tuple{
        field("max_new_tokens", &GenerateConfig::max_new_tokens, "tokens after the prompt, at most",
              at_least(int64_t{1})),
        field("min_length", &GenerateConfig::min_length, "no end before so many tokens, the prompt's included",
              at_least(int64_t{0})),
        field("min_new_tokens", &GenerateConfig::min_new_tokens, "no end before so many tokens after the prompt",
              at_least(int64_t{0})),
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
        field("bad_words_ids", &GenerateConfig::bad_words_ids, "runs of tokens that never come", at_least(0.0)),
        field("num_beams", &GenerateConfig::num_beams, "answers that are searched side by side; 1: no beam search",
              at_least(int64_t{1})),
        field(
            "length_penalty", &GenerateConfig::length_penalty,
            "of beams: log-probabilities are divided by the answer's length to this power; above 0 favours long ones"),
        field("early_stopping", &GenerateConfig::early_stopping,
              "of beams: true ends with num_beams answers, false where none that goes on is better by its length now, "
              "never where none can become better",
              one_of("true", "false", "never")),
        field("renormalize_logits", &GenerateConfig::renormalize_logits,
              "of beams: a token's probability is among those that nothing forbids; draws are so always"),
        field("num_return_sequences", &GenerateConfig::num_return_sequences, "answers to a prompt", only(int64_t{1})),
        field("eos_token_id", &GenerateConfig::eos_token_id, "tokens that end an answer; []: the model's",
              at_least(0.0)),
        field("forced_bos_token_id", &GenerateConfig::forced_bos_token_id,
              "the token behind a first one that stands alone, as a language in front of a translation; []: any",
              at_least(0.0)),
        field("forced_eos_token_id", &GenerateConfig::forced_eos_token_id,
              "tokens one of which is the last where an answer is as long as it may be; []: any", at_least(0.0))};
  }
};

inline bool has(const NumberList& ids, int32_t token) {
  return std::ranges::find(ids, static_cast<double>(token)) != ids.end();
}

}  // namespace sft
