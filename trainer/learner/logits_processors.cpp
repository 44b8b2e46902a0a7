#include "trainer/learner/logits_processors.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void ban(std::span<float> scores, double token) {
  if (const auto id = static_cast<size_t>(token); id < scores.size()) scores[id] = kNever;
}

// Keskar et al. (2019), CTRL: whatever was there once counts once.
void penalise_repetition(std::span<float> scores, std::span<const int32_t> before, double penalty) {
  if (penalty == 1.0) return;
  const auto by = static_cast<float>(penalty);
  for (const int32_t token : std::set<int32_t>(before.begin(), before.end())) {
    float& score = scores[static_cast<size_t>(token)];
    score = score < 0 ? score * by : score / by;
  }
}

// Bans each token that would end a run of `size` tokens that is there.
void ban_repeated_runs(std::span<float> scores, std::span<const int32_t> before, int64_t size) {
  const auto length = static_cast<size_t>(size);
  if (length == 0 || before.size() + 1 < length) return;
  const std::span<const int32_t> now = before.last(length - 1);
  for (size_t first = 0; first + length <= before.size(); ++first)
    if (std::ranges::equal(before.subspan(first, length - 1), now)) ban(scores, before[first + length - 1]);
}

// Bans the last token of each run whose others stand before it. An end of an answer is no bad word.
void ban_bad_words(std::span<float> scores, std::span<const int32_t> before, const GenerateConfig& config) {
  for (const NumberList& run : config.bad_words_ids) {
    if (run.empty() || before.size() + 1 < run.size()) continue;
    if (run.size() == 1 && std::ranges::find(config.eos_token_id, run[0]) != config.eos_token_id.end()) continue;
    const std::span<const int32_t> now = before.last(run.size() - 1);
    if (std::ranges::equal(now, std::span(run).first(run.size() - 1))) ban(scores, run.back());
  }
}

// The tokens of the answer count alone where both are told, as in transformers' generate.
bool is_too_short(const NextPlace& place, const GenerateConfig& config) {
  if (config.min_new_tokens > 0) return place.in_answer < config.min_new_tokens;
  return static_cast<int64_t>(place.before.size()) < config.min_length;
}

void force(std::span<float> scores, const NumberList& tokens) {
  if (tokens.empty()) return;
  std::ranges::fill(scores, kNever);
  for (const double token : tokens) scores[static_cast<size_t>(token)] = 0;
}

}  // namespace

void process(std::span<float> scores, const NextPlace& place, const GenerateConfig& config) {
  penalise_repetition(scores, place.before, config.repetition_penalty);
  ban_repeated_runs(scores, place.before, config.no_repeat_ngram_size);
  ban_bad_words(scores, place.before, config);
  if (is_too_short(place, config))
    for (const double token : config.eos_token_id) ban(scores, token);
  if (place.before.size() == 1) force(scores, config.forced_bos_token_id);
  if (place.in_answer + 1 == place.most_in_answer) force(scores, config.forced_eos_token_id);
}

void require_built(const GenerateConfig& config, int64_t vocab_size) {
  if (config.do_sample && config.num_beams > 1)
    throw ConfigError(concat("generate.do_sample = true is not built beside generate.num_beams = ", config.num_beams,
                             "; leave one of them out, or set generate.do_sample = false where the model's "
                             "generation_config.json says true"));
  const auto require = [&](const char* key, const NumberList& tokens) {
    for (const double token : tokens)
      if (token >= static_cast<double>(vocab_size))
        throw ConfigError(
            concat("generate.", key, ": token ", token, " is beyond the model's vocabulary of ", vocab_size, " words"));
  };
  require("forced_bos_token_id", config.forced_bos_token_id);
  require("forced_eos_token_id", config.forced_eos_token_id);
  for (const NumberList& run : config.bad_words_ids) require("bad_words_ids", run);
}

}  // namespace sft
