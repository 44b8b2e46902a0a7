// chrF2 (Popović 2015) and chrF2++ (Popović 2017) of a corpus, with one reference a hypothesis, from counts that can be
// summed over ranks. Equal to sacrebleu 2.6: n-grams of up to six characters, white space taken out, and for chrF++ of
// up to two words, a sign at a word's end or else at its beginning apart; recall counts twice as much as precision.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace sft {

struct ChrfCounts {
  static constexpr size_t kCharacterOrders = 6, kWordOrders = 2, kOrders = kCharacterOrders + kWordOrders;
  // For each order, those of characters first: n-grams of hypotheses (none where the row's reference has none), of
  // references, that match.
  enum : size_t { kHypothesis, kReference, kMatches, kPerOrder, kSize = kOrders * kPerOrder };

  // Texts are valid UTF-8.
  static void add(std::string_view hypothesis, std::string_view reference, std::span<double> counts);
};

enum class Chrf { characters, characters_and_words };  // chrF, chrF++

// 0 to 100: F2 of the mean precision and the mean recall over the orders that both sides have n-grams of.
double chrf_score(std::span<const double> counts, Chrf kind);

// What the score was computed by, in sacrebleu's words.
std::string chrf_signature(Chrf kind);

}  // namespace sft
