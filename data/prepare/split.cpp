#include "data/prepare/split.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/errors.h"
#include "base/text.h"
#include "data/samples/folds.h"

namespace sft {

Fold fold_from(const std::string& text) {
  constexpr int64_t kMostFolds = 1000;
  Fold fold;
  const char* end = text.data() + text.size();
  const auto [slash, first] = std::from_chars(text.data(), end, fold.index);
  const bool has_count = first == std::errc{} && slash != end && *slash == '/';
  const auto [rest, second] =
      has_count ? std::from_chars(slash + 1, end, fold.count) : std::from_chars_result{end, first};
  if (!has_count || second != std::errc{} || rest != end || fold.index < 1 || fold.count < 2 ||
      fold.index > fold.count || fold.count > kMostFolds)
    throw ConfigError(concat("data.fold: wanted such as \"2/5\", the second of five folds, found ", in_quotes(text)));
  --fold.index;
  return fold;
}

void SplitCensus::add(const std::string& label, uint64_t key) {
  std::set<uint64_t>& keys = keys_[label];
  if (keys.size() <= kExact) keys.insert(key);
}

void SplitCensus::merge(const Keys& other) {
  for (const auto& [label, keys] : other) {
    for (const uint64_t key : keys) add(label, key);
  }
}

Split::Split(const SplitCensus& census, double share) : share_(share) {
  for (const auto& [label, keys] : census.keys()) {
    if (keys.size() > SplitCensus::kExact) continue;
    // At least one key stays with train, so that every label can be learned.
    const auto wanted =
        std::min(std::lround(share * static_cast<double>(keys.size())), static_cast<long>(keys.size()) - 1);
    long taken = 0;
    for (const uint64_t key : keys) {
      const auto known = decided_.find(key);
      if (known != decided_.end() && known->second) ++taken;
    }
    for (const uint64_t key : keys) {  // ascending, which is a random order: keys are hashes
      if (decided_.try_emplace(key, taken < wanted).second && taken < wanted) ++taken;
    }
  }
}

bool Split::is_validation(uint64_t key) const {
  if (fold_.count > 0) return fold_of(key, fold_.count) == fold_.index;
  if (const auto known = decided_.find(key); known != decided_.end()) return known->second;
  return static_cast<double>(key) < share_ * 0x1p64;
}

}  // namespace sft
