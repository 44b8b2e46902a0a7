// Texts that nearly repeat others: sets of 5-grams of words, whose Jaccard similarity is estimated by MinHash (Broder,
// 1997) of 128 permutations, and found by bands of 4 of them (Leskovec, Rajaraman and Ullman, "Mining of massive
// datasets", chapter 3): of pairs of similarity 0.7 all but two in ten thousand are compared.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
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

  void add(int64_t id, std::string_view text);

  struct Near {
    int64_t id;
    double similarity;
  };
  // Those that were added and are near to this one, by rising id.
  std::vector<Near> near(std::string_view text) const;

 private:
  double least_;
  std::vector<std::pair<int64_t, MinHash>> texts_;
  std::unordered_multimap<uint64_t, size_t> bands_;  // of a band and its four numbers: places in texts_
};

}  // namespace sft
