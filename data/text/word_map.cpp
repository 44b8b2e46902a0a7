#include "data/text/word_map.h"

#include <array>
#include <string_view>

namespace sft {
namespace {

bool is_blank(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

std::string trimmed(const std::string& text) {
  size_t first = 0, end = text.size();
  while (first < end && is_blank(text[first])) ++first;
  while (end > first && is_blank(text[end - 1])) --end;
  return text.substr(first, end - first);
}

// Of a tokenizer.json that says no decoder, WordPiece's mark of what goes on with a word is left in front of it.
constexpr std::string_view kGoesOn = "##";

std::string without_marks(std::string text) {
  for (size_t at; (at = text.find(" ##")) != std::string::npos;) text.erase(at, 1 + kGoesOn.size());
  return text;
}

}  // namespace

WordMap::WordMap(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
  for (const Encoding& empty : {tokenizer.encode(""), tokenizer.encode_pair("", "")})
    around_.insert(empty.ids.begin(), empty.ids.end());
  for (const std::string name : {"[MASK]", "<mask>"}) {
    std::vector<int32_t> ids = tokenizer.encode(name).ids;
    std::erase_if(ids, [&](int32_t id) { return around_.contains(id); });
    if (ids.size() == 1 && trimmed(tokenizer.decode(ids)) == name) mask_id_ = ids.front();
  }
}

// Bytes that are no whole character decode otherwise beside the rest of it: then what stands before is not found.
bool WordMap::begins_word(int32_t before, int32_t id) const {
  const std::string alone = tokenizer_.decode(std::array{id});
  if (alone.size() > kGoesOn.size() && alone.starts_with(kGoesOn)) return false;
  const std::string first = trimmed(tokenizer_.decode(std::array{before}));
  const std::string both = tokenizer_.decode(std::array{before, id});
  const size_t at = both.find(first);
  if (at == std::string::npos) return false;
  const size_t end = at + first.size();
  return end < both.size() && is_blank(both[end]);
}

TokenWords WordMap::of(std::span<const int32_t> ids) const {
  TokenWords out;
  std::vector<std::vector<int32_t>> pieces;
  for (size_t i = 0; i < ids.size(); ++i) {
    const bool is_around = around_.contains(ids[i]);
    const bool follows = i > 0 && !around_.contains(ids[i - 1]);
    if (!is_around && (!follows || begins_word(ids[i - 1], ids[i]))) pieces.emplace_back();
    if (!is_around) pieces.back().push_back(ids[i]);
    out.word_of.push_back(is_around ? -1 : static_cast<int32_t>(pieces.size()) - 1);
  }
  for (const std::vector<int32_t>& word : pieces) out.words.push_back(without_marks(trimmed(tokenizer_.decode(word))));
  return out;
}

}  // namespace sft
