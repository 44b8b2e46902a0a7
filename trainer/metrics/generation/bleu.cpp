#include "trainer/metrics/generation/bleu.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/text.h"
#include "base/utf8.h"
#include "trainer/metrics/generation/ngrams.h"

namespace sft {
namespace {

double brevity_penalty(double hypothesis_length, double reference_length) {
  if (hypothesis_length >= reference_length) return 1;
  return hypothesis_length > 0 ? std::exp(1 - reference_length / hypothesis_length) : 0;
}

}  // namespace

void BleuCounts::add(std::string_view hypothesis, std::string_view reference, const BleuTokenizer& tokenizer,
                     std::span<double> counts) {
  assert(counts.size() == kSize);
  WordNumbers numbers;
  const std::u32string found = numbers.of(tokenizer.tokens(characters_of(hypothesis)));
  const std::u32string wanted = numbers.of(tokenizer.tokens(characters_of(reference)));
  counts[kHypothesisLength] += static_cast<double>(found.size());
  counts[kReferenceLength] += static_cast<double>(wanted.size());
  for (size_t i = 0; i < kOrders; ++i) {
    const NgramMatches ngrams = match_ngrams(found, wanted, i + 1);
    counts[kMatches + i] += ngrams.matches;
    counts[kTotals + i] += ngrams.hypothesis;
  }
}

BleuScore bleu_score(std::span<const double> counts) {
  assert(counts.size() == BleuCounts::kSize);
  const auto matches = counts.subspan(BleuCounts::kMatches, BleuCounts::kOrders);
  const auto totals = counts.subspan(BleuCounts::kTotals, BleuCounts::kOrders);
  BleuScore out;
  out.brevity_penalty = brevity_penalty(counts[BleuCounts::kHypothesisLength], counts[BleuCounts::kReferenceLength]);
  if (std::all_of(matches.begin(), matches.end(), [](double count) { return count == 0; })) return out;
  double pretended = 1, sum_of_logs = 0;  // the k-th order without a match has 1 / 2^k of one
  for (size_t i = 0; i < BleuCounts::kOrders; ++i) {
    if (totals[i] == 0) return out;  // no hypothesis is that long: a precision of 0
    if (matches[i] == 0) pretended /= 2;
    out.precisions[i] = 100 * (matches[i] == 0 ? pretended : matches[i]) / totals[i];
    sum_of_logs += std::log(out.precisions[i]);
  }
  out.score = out.brevity_penalty * std::exp(sum_of_logs / BleuCounts::kOrders);
  return out;
}

std::string bleu_signature(const BleuTokenizer& tokenizer) {
  return concat("nrefs:1|case:mixed|eff:no|tok:", tokenizer.name, "|smooth:exp|version:2.6.0");
}

}  // namespace sft
