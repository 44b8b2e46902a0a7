#include "trainer/learner/next_token.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "base/random.h"

namespace sft {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// Keskar et al. (2019), CTRL: whatever was there once counts once.
void penalise_repetition(std::vector<float>& logits, std::span<const int32_t> before, double penalty) {
  if (penalty == 1.0) return;
  const auto by = static_cast<float>(penalty);
  for (const int32_t token : std::set<int32_t>(before.begin(), before.end())) {
    float& logit = logits[static_cast<size_t>(token)];
    logit = logit < 0 ? logit * by : logit / by;
  }
}

// Bans each token that would end a run of `size` tokens that is there.
void ban_repeated_runs(std::vector<float>& logits, std::span<const int32_t> before, int64_t size) {
  const auto length = static_cast<size_t>(size);
  if (length == 0 || before.size() + 1 < length) return;
  const std::span<const int32_t> now = before.last(length - 1);
  for (size_t first = 0; first + length <= before.size(); ++first)
    if (std::ranges::equal(before.subspan(first, length - 1), now))
      logits[static_cast<size_t>(before[first + length - 1])] = kNever;
}

// Keeps ties of the last one, as transformers does.
void keep_likeliest(std::vector<float>& logits, int64_t count) {
  if (count == 0 || static_cast<size_t>(count) >= logits.size()) return;
  std::vector<float> sorted = logits;
  std::ranges::nth_element(sorted, sorted.begin() + count - 1, std::greater());
  const float least = sorted[static_cast<size_t>(count) - 1];
  for (float& logit : logits)
    if (logit < least) logit = kNever;
}

std::vector<double> probabilities(const std::vector<float>& logits) {
  const double highest = *std::ranges::max_element(logits);
  std::vector<double> share(logits.size());
  std::ranges::transform(logits, share.begin(), [&](float logit) { return std::exp(double{logit} - highest); });
  const double sum = std::accumulate(share.begin(), share.end(), 0.0);
  for (double& one : share) one /= sum;
  return share;
}

// Holtzman et al. (2020): bans the least likely tokens that together have at most 1 − top_p.
void keep_nucleus(std::vector<float>& logits, double top_p) {
  if (top_p >= 1) return;
  const std::vector<double> share = probabilities(logits);
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t token) { return logits[token]; });
  double sum = 0;
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    sum += share[order[i]];
    if (sum > 1 - top_p) break;
    logits[order[i]] = kNever;
  }
}

int32_t drawn(const std::vector<float>& logits, const TokenDraw& draw) {
  const std::vector<double> share = probabilities(logits);
  const uint64_t of_row = derive_key(draw.seed, "generate", static_cast<uint64_t>(draw.row));
  double left =
      std::ldexp(static_cast<double>(derive_key(of_row, "token", static_cast<uint64_t>(draw.place)) >> 11), -53);
  size_t last = 0;
  for (size_t token = 0; token < share.size(); ++token) {
    if (share[token] == 0) continue;
    last = token;
    left -= share[token];
    if (left < 0) break;
  }
  return static_cast<int32_t>(last);
}

}  // namespace

int32_t next_token(std::vector<float>& logits, std::span<const int32_t> before, const GenerateConfig& config,
                   const TokenDraw& draw) {
  penalise_repetition(logits, before, config.repetition_penalty);
  ban_repeated_runs(logits, before, config.no_repeat_ngram_size);
  if (!config.do_sample) return static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin());
  for (float& logit : logits) logit /= static_cast<float>(config.temperature);
  keep_likeliest(logits, config.top_k);
  keep_nucleus(logits, config.top_p);
  return drawn(logits, draw);
}

}  // namespace sft
