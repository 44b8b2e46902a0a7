#include "trainer/learner/next_token.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.h"

namespace sft {
namespace {

constexpr float kOutOfQuestion = -std::numeric_limits<float>::infinity();

// The first of the highest, by a pass that compares many at a time and one that looks for what it found.
size_t likeliest(std::span<const float> logits) {
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> highest;
  highest.fill(kOutOfQuestion);
  size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      highest[lane] = logits[i + lane] > highest[lane] ? logits[i + lane] : highest[lane];
  float most = *std::ranges::max_element(highest);
  for (; i < logits.size(); ++i) most = std::max(most, logits[i]);
  const auto first = std::ranges::find(logits, most);
  return first == logits.end() ? 0 : static_cast<size_t>(first - logits.begin());
}

// Keeps ties of the last one, as transformers does.
void keep_likeliest(std::span<float> logits, int64_t count) {
  if (count == 0 || static_cast<size_t>(count) >= logits.size()) return;
  std::vector<float> sorted(logits.begin(), logits.end());
  std::ranges::nth_element(sorted, sorted.begin() + count - 1, std::greater());
  const float least = sorted[static_cast<size_t>(count) - 1];
  for (float& logit : logits)
    if (logit < least) logit = kOutOfQuestion;
}

std::vector<double> probabilities(std::span<const float> logits) {
  const double highest = *std::ranges::max_element(logits);
  std::vector<double> share(logits.size());
  std::ranges::transform(logits, share.begin(), [&](float logit) { return std::exp(double{logit} - highest); });
  const double sum = std::accumulate(share.begin(), share.end(), 0.0);
  for (double& one : share) one /= sum;
  return share;
}

// Holtzman et al. (2020): bans the least likely tokens that together have at most 1 − top_p.
void keep_nucleus(std::span<float> logits, double top_p) {
  if (top_p >= 1) return;
  const std::vector<double> share = probabilities(logits);
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t token) { return logits[token]; });
  double sum = 0;
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    sum += share[order[i]];
    if (sum > 1 - top_p) break;
    logits[order[i]] = kOutOfQuestion;
  }
}

int32_t drawn(std::span<const float> logits, const TokenDraw& draw) {
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

int32_t next_token(std::span<float> logits, const NextPlace& place, const GenerateConfig& config,
                   const TokenDraw& draw) {
  process(logits, place, config);
  if (!config.do_sample) return static_cast<int32_t>(likeliest(logits));
  for (float& logit : logits) logit /= static_cast<float>(config.temperature);
  keep_likeliest(logits, config.top_k);
  keep_nucleus(logits, config.top_p);
  return drawn(logits, draw);
}

}  // namespace sft
