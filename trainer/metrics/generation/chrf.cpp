#include "trainer/metrics/generation/chrf.h"

#include <cassert>

#include "base/text.h"
#include "base/utf8.h"
#include "data/text/letters.h"
#include "trainer/metrics/generation/ngrams.h"

namespace sft {
namespace {

std::u32string without_white_space(std::string_view text) {
  std::u32string characters = characters_of(text);
  std::erase_if(characters, is_white_space);
  return characters;
}

// A sign that stands at the end of a word, or else at its beginning, is a word of its own.
std::vector<std::u32string> words_and_signs(std::u32string_view text) {
  std::vector<std::u32string> out;
  for (const std::u32string& word : words_between_spaces(text)) {
    const size_t last = word.size() - 1;
    const bool ends = last > 0 && is_punctuation(word[last]), begins = last > 0 && !ends && is_punctuation(word[0]);
    const size_t cut = ends ? last : begins ? 1 : word.size();
    out.push_back(word.substr(0, cut));
    if (cut < word.size()) out.push_back(word.substr(cut));
  }
  return out;
}

void add_order(const NgramMatches& ngrams, std::span<double> counts) {
  counts[ChrfCounts::kHypothesis] += ngrams.reference > 0 ? ngrams.hypothesis : 0;
  counts[ChrfCounts::kReference] += ngrams.reference;
  counts[ChrfCounts::kMatches] += ngrams.matches;
}

size_t num_orders_of(Chrf kind) {
  return kind == Chrf::characters ? ChrfCounts::kCharacterOrders : ChrfCounts::kOrders;
}

}  // namespace

void ChrfCounts::add(std::string_view hypothesis, std::string_view reference, std::span<double> counts) {
  assert(counts.size() == kSize);
  const std::u32string found = without_white_space(hypothesis), wanted = without_white_space(reference);
  for (size_t i = 0; i < kCharacterOrders; ++i)
    add_order(match_ngrams(found, wanted, i + 1), counts.subspan(i * kPerOrder, kPerOrder));
  WordNumbers numbers;
  const std::u32string found_words = numbers.of(words_and_signs(characters_of(hypothesis)));
  const std::u32string wanted_words = numbers.of(words_and_signs(characters_of(reference)));
  for (size_t i = 0; i < kWordOrders; ++i)
    add_order(match_ngrams(found_words, wanted_words, i + 1),
              counts.subspan((kCharacterOrders + i) * kPerOrder, kPerOrder));
}

double chrf_score(std::span<const double> counts, Chrf kind) {
  assert(counts.size() == ChrfCounts::kSize);
  double precision = 0, recall = 0, num_orders = 0;
  for (size_t i = 0; i < num_orders_of(kind); ++i) {
    const auto of_order = counts.subspan(i * ChrfCounts::kPerOrder, ChrfCounts::kPerOrder);
    if (of_order[ChrfCounts::kHypothesis] == 0 || of_order[ChrfCounts::kReference] == 0) continue;
    precision += of_order[ChrfCounts::kMatches] / of_order[ChrfCounts::kHypothesis];
    recall += of_order[ChrfCounts::kMatches] / of_order[ChrfCounts::kReference];
    num_orders += 1;
  }
  if (precision + recall == 0) return 0;
  precision /= num_orders;
  recall /= num_orders;
  constexpr double kBeta = 2;
  return 100 * (1 + kBeta * kBeta) * precision * recall / (kBeta * kBeta * precision + recall);
}

std::string chrf_signature(Chrf kind) {
  return concat("nrefs:1|case:mixed|eff:yes|nc:6|nw:", kind == Chrf::characters ? 0 : 2, "|space:no|version:2.6.0");
}

}  // namespace sft
