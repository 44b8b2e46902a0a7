#include "trainer/metrics/generation/ngrams.h"

#include <cstdint>

namespace sft {
namespace {

size_t num_ngrams(std::u32string_view text, size_t order) { return text.size() < order ? 0 : text.size() - order + 1; }

}  // namespace

NgramMatches match_ngrams(std::u32string_view hypothesis, std::u32string_view reference, size_t order) {
  const size_t in_hypothesis = num_ngrams(hypothesis, order), in_reference = num_ngrams(reference, order);
  std::unordered_map<std::u32string_view, int64_t> left;
  for (size_t i = 0; i < in_reference; ++i) ++left[reference.substr(i, order)];
  int64_t matches = 0;
  for (size_t i = 0; i < in_hypothesis; ++i) {
    const auto found = left.find(hypothesis.substr(i, order));
    if (found != left.end() && found->second-- > 0) ++matches;
  }
  return {static_cast<double>(matches), static_cast<double>(in_hypothesis), static_cast<double>(in_reference)};
}

std::u32string WordNumbers::of(const std::vector<std::u32string>& words) {
  std::u32string out;
  for (const auto& word : words)
    out += numbers_.try_emplace(word, static_cast<char32_t>(numbers_.size())).first->second;
  return out;
}

}  // namespace sft
