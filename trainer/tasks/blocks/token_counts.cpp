#include "trainer/tasks/blocks/token_counts.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "trainer/metrics/mean.h"

namespace sft {
namespace {

constexpr size_t kLossSum = 0, kTokens = 1, kRight = 2;

}  // namespace

void TokenCounts::add(const TokenScores& scores, std::span<const int64_t> targets, size_t m, std::span<double> into) {
  into[kLossSum] += scores.surprise[m];
  into[kTokens] += 1;
  into[kRight] += scores.best[m] == targets[m] ? 1 : 0;
}

nlohmann::ordered_json TokenCounts::metrics(std::span<const double> counts) {
  const double loss = mean_of(counts[kLossSum], counts[kTokens]);
  return {{"loss", loss}, {"perplexity", std::exp(loss)}, {"token_accuracy", mean_of(counts[kRight], counts[kTokens])}};
}

}  // namespace sft
