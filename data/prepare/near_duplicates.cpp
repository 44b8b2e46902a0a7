#include "data/prepare/near_duplicates.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>

#include "base/random.h"
#include "base/utf8.h"
#include "data/text/letters.h"

namespace sft {
namespace {

constexpr size_t kGram = 5, kRows = 4, kBands = kPermutations / kRows;

// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
uint64_t mixed(uint64_t bits) {
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
  return bits ^ bits >> 31;
}

// A hash of each word, by its letters (FNV-1a).
class WordHashes {
 public:
  void add(char32_t letter) {
    hash_ = (hash_ ^ letter) * 0x100000001B3u;
    is_open_ = true;
  }
  void end_word() {
    if (is_open_) words_.push_back(mixed(hash_));
    hash_ = kStart;
    is_open_ = false;
  }
  std::vector<uint64_t> take() {
    end_word();
    return std::move(words_);
  }

 private:
  static constexpr uint64_t kStart = 0xCBF29CE484222325u;
  uint64_t hash_ = kStart;
  bool is_open_ = false;
  std::vector<uint64_t> words_;
};

// In lower case, without what is no letter nor number. A character of Chinese or Japanese is a word.
std::vector<uint64_t> words_of(std::string_view text) {
  WordHashes words;
  if (std::ranges::all_of(text, [](char byte) { return static_cast<unsigned char>(byte) < 0x80; })) {
    for (const char byte : text) {
      const char lower = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
      const bool counts = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
      counts ? words.add(static_cast<char32_t>(lower)) : words.end_word();
    }
    return words.take();
  }
  for (const char32_t letter : characters_of(folded(text))) {
    const bool is_word = is_cjk(letter);
    if (is_word || !is_alphanumeric(letter)) words.end_word();
    if (is_alphanumeric(letter)) words.add(letter);
    if (is_word) words.end_word();
  }
  return words.take();
}

// A hash of each 5-gram of words, rising, each once; of a text of fewer words one of all of them.
std::vector<uint64_t> grams_of(std::string_view text) {
  const std::vector<uint64_t> words = words_of(text);
  if (words.empty()) return {};
  std::vector<uint64_t> grams(words.size() < kGram ? 1 : words.size() - kGram + 1);
  for (size_t first = 0; first < grams.size(); ++first) {
    uint64_t gram = 0;
    for (size_t word = first; word < std::min(first + kGram, words.size()); ++word) gram = mixed(gram + words[word]);
    grams[first] = gram;
  }
  std::ranges::sort(grams);
  grams.erase(std::ranges::unique(grams).begin(), grams.end());
  return grams;
}

// A family of permutations of 32-bit numbers, near enough: multiply and shift with odd factors of one key each
// (Dietzfelbinger and others, 1997).
const std::array<std::pair<uint64_t, uint64_t>, kPermutations>& permutations() {
  static const auto all = [] {
    std::array<std::pair<uint64_t, uint64_t>, kPermutations> made;
    for (size_t p = 0; p < kPermutations; ++p)
      made[p] = {derive_key(1, "MinHash factor", p) | 1, derive_key(1, "MinHash summand", p)};
    return made;
  }();
  return all;
}

MinHash hash_of(const std::vector<uint64_t>& grams) {
  const auto& all = permutations();
  MinHash least;
  least.fill(std::numeric_limits<uint32_t>::max());
  for (const uint64_t gram : grams)
    for (size_t p = 0; p < kPermutations; ++p)
      least[p] = std::min(least[p], static_cast<uint32_t>((gram * all[p].first + all[p].second) >> 32));
  return least;
}

uint64_t band_key(const MinHash& hash, size_t band) {
  uint64_t key = band;
  for (size_t row = 0; row < kRows; ++row) key = mixed(key + hash[band * kRows + row]);
  return key;
}

}  // namespace

std::optional<MinHash> min_hash(std::string_view text) {
  const std::vector<uint64_t> grams = grams_of(text);
  if (grams.empty()) return {};
  return hash_of(grams);
}

double similarity(const MinHash& a, const MinHash& b) {
  size_t equal = 0;
  for (size_t p = 0; p < kPermutations; ++p) equal += a[p] == b[p];
  return static_cast<double>(equal) / kPermutations;
}

NearDuplicates::NearDuplicates(double least) : least_(least), seen_(kSeenBits) {}

std::optional<size_t> NearDuplicates::add(std::string_view text) {
  const std::vector<uint64_t> grams = grams_of(text);
  if (grams.empty()) return {};
  const MinHash hash = hash_of(grams);
  const std::string bytes(reinterpret_cast<const char*>(hash.data()), sizeof(MinHash));
  const auto [found, is_new] = numbers_.emplace(bytes, texts_.size());
  for (const uint64_t gram : grams) seen_[gram % kSeenBits] = true;
  if (!is_new) return found->second;
  for (size_t band = 0; band < kBands; ++band) bands_.emplace(band_key(hash, band), texts_.size());
  texts_.push_back(hash);
  return found->second;
}

// Texts of Jaccard similarity s have at least s of the 5-grams of each in common. So a text is near to none where fewer
// than `least_` of its 5-grams stand in any of the texts.
bool NearDuplicates::may_be_near(const std::vector<uint64_t>& grams) const {
  const auto seen = std::ranges::count_if(grams, [this](uint64_t gram) { return seen_[gram % kSeenBits]; });
  return static_cast<double>(seen) >= least_ * static_cast<double>(grams.size());
}

std::vector<NearDuplicates::Near> NearDuplicates::near(std::string_view text) const {
  const std::vector<uint64_t> grams = grams_of(text);
  if (grams.empty() || !may_be_near(grams)) return {};
  const MinHash hash = hash_of(grams);
  std::set<size_t> candidates;
  for (size_t band = 0; band < kBands; ++band) {
    const auto [first, end] = bands_.equal_range(band_key(hash, band));
    for (auto at = first; at != end; ++at) candidates.insert(at->second);
  }
  std::vector<Near> all;
  for (const size_t number : candidates)
    if (const double how = similarity(hash, texts_[number]); how >= least_) all.push_back({number, how});
  return all;
}

}  // namespace sft
