// BLEU of a corpus, with one reference a hypothesis (Papineni et al. 2002), from counts that can be summed over ranks.
// Equal to sacrebleu 2.6: case kept, n-grams of up to four tokens, smoothing "exp".
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "trainer/metrics/generation/bleu_tokenizer.h"

namespace sft {

struct BleuCounts {
  static constexpr size_t kOrders = 4;
  // Tokens of hypotheses, of references; then, for each order, n-grams that match, and n-grams of hypotheses.
  enum : size_t {
    kHypothesisLength,
    kReferenceLength,
    kMatches,
    kTotals = kMatches + kOrders,
    kSize = kTotals + kOrders
  };

  // Texts are valid UTF-8.
  static void add(std::string_view hypothesis, std::string_view reference, const BleuTokenizer& tokenizer,
                  std::span<double> counts);
};

struct BleuScore {
  double score = 0;                                      // 0 to 100
  double brevity_penalty = 1;                            // 0 to 1: 1 where hypotheses are no shorter than references
  std::array<double, BleuCounts::kOrders> precisions{};  // 0 to 100, smoothed; all 0 where nothing matches
};

BleuScore bleu_score(std::span<const double> counts);

// What the score was computed by, in sacrebleu's words.
std::string bleu_signature(const BleuTokenizer& tokenizer);

}  // namespace sft
