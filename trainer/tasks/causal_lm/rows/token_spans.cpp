#include "trainer/tasks/causal_lm/rows/token_spans.h"

#include <algorithm>

namespace sft::causal {

int64_t SpannedTokens::num_trained() const {
  int64_t trained = 0;
  for (const TokenSpan& span : spans) trained += std::max(span.end - std::max(span.begin, 1), 0);
  return trained;
}

SpannedTokens to_tokens(const PlacedTokens& tokens, const std::vector<ByteSpan>& spans) {
  SpannedTokens out{.ids = tokens.ids};
  size_t at = 0;
  const auto first = [&](size_t token) { return static_cast<size_t>(tokens.first[token]); };
  for (const ByteSpan& span : spans) {
    while (at < tokens.ids.size() && first(at) < span.begin) {
      if (static_cast<size_t>(tokens.end[at]) > span.begin) ++out.straddling;
      ++at;
    }
    const size_t begin = at;
    while (at < tokens.ids.size() && first(at) < span.end) ++at;
    if (begin < at) out.spans.push_back({static_cast<int32_t>(begin), static_cast<int32_t>(at)});
  }
  return out;
}

SpannedTokens part_of(const SpannedTokens& whole, size_t first, size_t end) {
  SpannedTokens out{.straddling = whole.straddling};
  out.ids.assign(whole.ids.begin() + static_cast<int64_t>(first), whole.ids.begin() + static_cast<int64_t>(end));
  const auto shift = static_cast<int32_t>(first);
  for (const TokenSpan& span : whole.spans) {
    const TokenSpan cut{std::max(span.begin, shift) - shift, std::min(span.end, static_cast<int32_t>(end)) - shift};
    if (cut.begin < cut.end) out.spans.push_back(cut);
  }
  return out;
}

void put_in_front(const std::vector<int32_t>& ids, SpannedTokens& tokens) {
  tokens.ids.insert(tokens.ids.begin(), ids.begin(), ids.end());
  const auto shift = static_cast<int32_t>(ids.size());
  for (TokenSpan& span : tokens.spans) span = {span.begin + shift, span.end + shift};
}

std::vector<SpannedTokens> fitted(SpannedTokens tokens, int64_t max_length, const std::string& truncation) {
  const size_t length = tokens.ids.size(), most = static_cast<size_t>(max_length);
  if (length <= most) return {std::move(tokens)};
  if (truncation == "drop") return {};
  if (truncation == "left") return {part_of(tokens, length - most, length)};
  if (truncation != "split") return {part_of(tokens, 0, most)};
  std::vector<SpannedTokens> pieces;
  for (size_t first = 0; first < length; first += most)
    pieces.push_back(part_of(tokens, first, std::min(first + most, length)));
  return pieces;
}

}  // namespace sft::causal
