// n-grams that a generated text (the hypothesis) shares with its reference. A text is a row of symbols: its characters,
// or its words as numbers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sft {

struct NgramMatches {
  double matches = 0;  // an n-gram counts as often as both texts have it
  double hypothesis = 0, reference = 0;
};

// Of n-grams of `order` symbols.
NgramMatches match_ngrams(std::u32string_view hypothesis, std::u32string_view reference, size_t order);

// Numbers for words: equal words get the same, from 0 in the order of their first appearance.
class WordNumbers {
 public:
  std::u32string of(const std::vector<std::u32string>& words);

 private:
  std::unordered_map<std::u32string, char32_t> numbers_;
};

}  // namespace sft
