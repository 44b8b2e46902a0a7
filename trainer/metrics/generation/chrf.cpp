#include "trainer/metrics/generation/chrf.h"

#include <cassert>

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

}  // namespace

void ChrfCounts::add(std::string_view hypothesis, std::string_view reference, std::span<double> counts) {
  assert(counts.size() == kSize);
  const std::u32string found = without_white_space(hypothesis), wanted = without_white_space(reference);
  for (size_t i = 0; i < kOrders; ++i) {
    const NgramMatches ngrams = match_ngrams(found, wanted, i + 1);
    counts[i * kPerOrder + kHypothesis] += ngrams.reference > 0 ? ngrams.hypothesis : 0;
    counts[i * kPerOrder + kReference] += ngrams.reference;
    counts[i * kPerOrder + kMatches] += ngrams.matches;
  }
}

double chrf_score(std::span<const double> counts) {
  assert(counts.size() == ChrfCounts::kSize);
  double precision = 0, recall = 0, num_orders = 0;
  for (size_t i = 0; i < ChrfCounts::kOrders; ++i) {
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

std::string chrf_signature() { return "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0"; }

}  // namespace sft
