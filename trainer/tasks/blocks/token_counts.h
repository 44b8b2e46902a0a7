// What language models are told by of their trained tokens: sums, divided once.
//
// `loss` is the mean of −log p, `perplexity` e to it, never a mean of means; `token_accuracy` the share of tokens that
// were the likeliest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>

#include "trainer/models/blocks/token_loss.h"

namespace sft {

class TokenCounts {
 public:
  static constexpr size_t kSize = 3;  // of the counts

  // Row m of those that were scored.
  static void add(const TokenScores& scores, std::span<const int64_t> targets, size_t m, std::span<double> into);
  static double tokens(std::span<const double> counts) { return counts[1]; }
  static nlohmann::ordered_json metrics(std::span<const double> counts);
};

}  // namespace sft
