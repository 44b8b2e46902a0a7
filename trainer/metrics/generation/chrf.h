// chrF2 of a corpus, with one reference a hypothesis (Popović 2015), from counts that can be summed over ranks. Equal
// to sacrebleu 2.6: n-grams of up to six characters, white space taken out, recall counts twice as much as precision.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sft {

struct ChrfCounts {
  static constexpr size_t kOrders = 6;
  // For each order: n-grams of hypotheses (none where the row's reference has none), of references, that match.
  enum : size_t { kHypothesis, kReference, kMatches, kPerOrder, kSize = kOrders * kPerOrder };

  // Texts are valid UTF-8.
  static void add(std::string_view hypothesis, std::string_view reference, std::span<double> counts);
};

// 0 to 100: F2 of the mean precision and the mean recall over the orders that both sides have n-grams of.
double chrf_score(std::span<const double> counts);

// What the score was computed by, in sacrebleu's words.
std::string chrf_signature();

}  // namespace sft
