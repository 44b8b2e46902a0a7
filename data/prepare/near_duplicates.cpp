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

constexpr size_t kGram = 5, kRows = 4;

// The words, each with a blank behind it, and where each begins. A character of Chinese or Japanese is a word.
std::string plain(std::string_view text, std::vector<size_t>& begins) {
  std::u32string out;
  std::vector<size_t> at;
  bool in_word = false;
  const auto end_word = [&] {
    if (in_word) out += U' ';
    in_word = false;
  };
  for (const char32_t letter : characters_of(folded(text))) {
    if (!is_alphanumeric(letter) || is_cjk(letter)) end_word();
    if (!is_alphanumeric(letter)) continue;
    if (!in_word) at.push_back(out.size());
    out += letter;
    in_word = true;
    if (is_cjk(letter)) end_word();
  }
  end_word();
  std::string bytes;
  for (size_t word = 0; word < at.size(); ++word) {
    begins.push_back(bytes.size());
    const size_t end = word + 1 < at.size() ? at[word + 1] : out.size();
    bytes += utf8_of(std::u32string_view(out).substr(at[word], end - at[word]));
  }
  return bytes;
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

uint64_t band_key(const MinHash& hash, size_t band) {
  const char* bytes = reinterpret_cast<const char*>(&hash[band * kRows]);
  return derive_key(band, {bytes, kRows * sizeof(uint32_t)});
}

}  // namespace

std::optional<MinHash> min_hash(std::string_view text) {
  std::vector<size_t> begins;
  const std::string words = plain(text, begins);
  if (begins.empty()) return {};
  MinHash least;
  least.fill(std::numeric_limits<uint32_t>::max());
  const size_t grams = begins.size() < kGram ? 1 : begins.size() - kGram + 1;
  for (size_t first = 0; first < grams; ++first) {
    const size_t end = first + kGram < begins.size() ? begins[first + kGram] : words.size();
    const uint64_t gram = derive_key(0, std::string_view(words).substr(begins[first], end - begins[first]));
    for (size_t p = 0; p < kPermutations; ++p) {
      const auto& [factor, summand] = permutations()[p];
      least[p] = std::min(least[p], static_cast<uint32_t>((gram * factor + summand) >> 32));
    }
  }
  return least;
}

double similarity(const MinHash& a, const MinHash& b) {
  size_t equal = 0;
  for (size_t p = 0; p < kPermutations; ++p) equal += a[p] == b[p];
  return static_cast<double>(equal) / kPermutations;
}

NearDuplicates::NearDuplicates(double least) : least_(least) {}

std::optional<size_t> NearDuplicates::add(std::string_view text) {
  const auto hash = min_hash(text);
  if (!hash) return {};
  const std::string bytes(reinterpret_cast<const char*>(hash->data()), sizeof(MinHash));
  const auto [found, is_new] = numbers_.emplace(bytes, texts_.size());
  if (!is_new) return found->second;
  for (size_t band = 0; band < kPermutations / kRows; ++band) bands_.emplace(band_key(*hash, band), texts_.size());
  texts_.push_back(*hash);
  return found->second;
}

std::vector<NearDuplicates::Near> NearDuplicates::near(std::string_view text) const {
  const auto hash = min_hash(text);
  if (!hash) return {};
  std::set<size_t> candidates;
  for (size_t band = 0; band < kPermutations / kRows; ++band) {
    const auto [first, end] = bands_.equal_range(band_key(*hash, band));
    for (auto at = first; at != end; ++at) candidates.insert(at->second);
  }
  std::vector<Near> all;
  for (const size_t number : candidates)
    if (const double how = similarity(*hash, texts_[number]); how >= least_) all.push_back({number, how});
  return all;
}

}  // namespace sft
