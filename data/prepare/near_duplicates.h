// Texts that nearly repeat others: sets of 5-grams of words, whose Jaccard similarity is estimated by MinHash (Broder,
// 1997) of 128 permutations, and found by bands of 4 of them (Leskovec, Rajaraman and Ullman, "Mining of massive
// datasets", chapter 3): of pairs of similarity 0.7 all but two in ten thousand are compared. Most texts are told apart
// sooner, by how many of their 5-grams no other text has.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sft {

inline constexpr size_t kPermutations = 128;
using MinHash = std::array<uint32_t, kPermutations>;

// Of the 5-grams of words, in lower case and without what is no letter nor number; a text of fewer words is one gram.
// Nothing for a text without a word.
std::optional<MinHash> min_hash(std::string_view text);

double similarity(const MinHash& a, const MinHash& b);  // the share of equal ones

class NearDuplicates {
 public:
  explicit NearDuplicates(double least = 0.7);  // similarity from which on texts are near duplicates

  // The number of the text, 0, 1, …, which texts of one hash share, so that equal ones are compared once. Nothing for a
  // text without a word.
  std::optional<size_t> add(std::string_view text);

  struct Near {
    size_t number;
    double similarity;
  };
  // Those that were added and are near to this one, by rising number.
  std::vector<Near> near(std::string_view text) const;

 private:
  bool may_be_near(const std::vector<uint64_t>& grams) const;

  static constexpr size_t kSeenBits = size_t{1} << 26;  // 8 MiB
  double least_;
  std::vector<bool> seen_;                           // the 5-grams of all texts, by their hashes
  std::vector<MinHash> texts_;                       // by number
  std::unordered_map<std::string, size_t> numbers_;  // by the bytes of the hash
  std::unordered_multimap<uint64_t, size_t> bands_;  // of a band and its four numbers: numbers of texts
};

}  // namespace sft
