#include "trainer/metrics/generation/rouge.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "data/text/letters.h"
#include "trainer/metrics/generation/ngrams.h"

namespace sft {
namespace {

bool is_of_a_word(char32_t character) {
  return (character >= U'a' && character <= U'z') || (character >= U'0' && character <= U'9');
}

std::vector<std::u32string> words_of(std::string_view text) {
  std::u32string spaced;
  for (const char32_t character : characters_of(lowercase(text))) {
    if (is_cjk(character)) {
      spaced += {U' ', character, U' '};
    } else {
      spaced += is_of_a_word(character) ? character : U' ';
    }
  }
  return words_between_spaces(spaced);
}

size_t longest_common_subsequence(std::u32string_view a, std::u32string_view b) {
  std::vector<size_t> longest(b.size() + 1, 0);  // of what is seen of a, with each beginning of b
  for (const char32_t symbol : a) {
    size_t diagonal = 0;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = longest[j];
      longest[j] = symbol == b[j - 1] ? diagonal + 1 : std::max(above, longest[j - 1]);
      diagonal = above;
    }
  }
  return longest.back();
}

double f_measure(const NgramMatches& ngrams) {
  if (ngrams.matches == 0) return 0;
  const double precision = ngrams.matches / ngrams.hypothesis, recall = ngrams.matches / ngrams.reference;
  return 2 * precision * recall / (precision + recall);
}

}  // namespace

RougeScore rouge_score(std::string_view hypothesis, std::string_view reference) {
  WordNumbers numbers;
  const std::u32string found = numbers.of(words_of(hypothesis)), wanted = numbers.of(words_of(reference));
  const NgramMatches subsequence{static_cast<double>(longest_common_subsequence(found, wanted)),
                                 static_cast<double>(found.size()), static_cast<double>(wanted.size())};
  return {f_measure(match_ngrams(found, wanted, 1)), f_measure(match_ngrams(found, wanted, 2)), f_measure(subsequence)};
}

std::string rouge_signature() {
  return "nrefs:1|measure:f|mean:rows|stemmer:no|cjk:character|version:rouge_score-0.1.2";
}

}  // namespace sft
