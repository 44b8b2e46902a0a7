#include "trainer/metrics/generation/bleu_tokenizer.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "data/text/letters.h"

namespace sft {
namespace {

using Tokens = std::vector<std::u32string>;

std::u32string replaced(std::u32string_view text, std::u32string_view what, std::u32string_view by) {
  std::u32string out;
  size_t begin = 0;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, begin)) {
    out.append(text.substr(begin, at - begin)).append(by);
    begin = at + what.size();
  }
  return out.append(text.substr(begin));
}

template <class IsApart>
std::u32string set_apart(std::u32string_view text, const IsApart& is_apart) {
  std::u32string out;
  for (const char32_t character : text) {
    if (is_apart(character)) {
      out += {U' ', character, U' '};
    } else {
      out += character;
    }
  }
  return out;
}

// As re.sub with a pattern of two characters: the leftmost pair first, and pairs do not overlap. In `form`, 1 and 2
// stand for the pair.
template <class First, class Second>
std::u32string with_pairs(std::u32string_view text, const First& first, const Second& second,
                          std::u32string_view form) {
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !first(text[i]) || !second(text[i + 1])) {
      out += text[i];
      continue;
    }
    for (const char32_t sign : form) out += sign == U'1' ? text[i] : sign == U'2' ? text[i + 1] : sign;
    ++i;
  }
  return out;
}

bool is_digit(char32_t character) { return character >= U'0' && character <= U'9'; }
bool is_no_digit(char32_t character) { return !is_digit(character); }
bool is_dash(char32_t character) { return character == U'-'; }
bool is_dot_or_comma(char32_t character) { return character == U'.' || character == U','; }
bool is_always_apart(char32_t character) {
  return is_punctuation(character) && !is_dot_or_comma(character) && !is_dash(character) && character != U'\'';
}

// sacrebleu's TokenizerRegexp. Its first pattern sets spaces apart too, which changes no token.
Tokens western_tokens(std::u32string_view text) {
  std::u32string out = set_apart(text, is_always_apart);
  out = with_pairs(out, is_no_digit, is_dot_or_comma, U"1 2 ");
  out = with_pairs(out, is_dot_or_comma, is_no_digit, U" 1 2");
  out = with_pairs(out, is_digit, is_dash, U"1 2 ");
  return words_between_spaces(out);
}

Tokens tokens_13a(std::u32string_view text) {
  static constexpr std::pair<std::u32string_view, std::u32string_view> kReplaced[] = {
      {U"<skipped>", U""}, {U"-\n", U""},   {U"\n", U" "},  {U"&quot;", U"\""},
      {U"&amp;", U"&"},    {U"&lt;", U"<"}, {U"&gt;", U">"}};
  std::u32string line(stripped(text));
  for (const auto& [what, by] : kReplaced) line = replaced(line, what, by);
  return western_tokens(U" " + line + U" ");
}

// sacrebleu's _UCODE_RANGES, and what they mean to Python: those for plane 2, written with four digits and one more,
// are U+2001 to U+2A6D (dashes, quotation marks, arrows, signs of mathematics) and U+2F81 to U+2FA1.
bool is_chinese(char32_t character) {
  static constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0x2001, 0x2A6D}, {0x2E80, 0x2EFF}, {0x2F00, 0x2FDF}, {0x2F81, 0x2FA1}, {0x2FF0, 0x2FFF},
      {0x3000, 0x303F}, {0x3100, 0x312F}, {0x31A0, 0x31BF}, {0x31C0, 0x31EF}, {0x3200, 0x32FF},
      {0x3300, 0x33FF}, {0x3400, 0x4DB5}, {0x4E00, 0x9FA5}, {0x9FA6, 0x9FBB}, {0xF900, 0xFA2D},
      {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [&](const auto& range) { return range.first <= character && character <= range.second; });
}

Tokens tokens_zh(std::u32string_view text) { return western_tokens(set_apart(stripped(text), is_chinese)); }

Tokens tokens_char(std::u32string_view text) {
  Tokens tokens;
  for (const char32_t character : text)
    if (!is_white_space(character)) tokens.emplace_back(1, character);
  return tokens;
}

constexpr BleuTokenizer kTokenizers[] = {
    {"13a", tokens_13a}, {"zh", tokens_zh}, {"char", tokens_char}, {"none", words_between_spaces}};

}  // namespace

const BleuTokenizer& bleu_tokenizer(std::string_view name) {
  const auto* found = std::find_if(std::begin(kTokenizers), std::end(kTokenizers),
                                   [&](const BleuTokenizer& tokenizer) { return tokenizer.name == name; });
  assert(found != std::end(kTokenizers));
  return *found;
}

std::string_view bleu_tokenizer_of_language(std::string_view language) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> codes) {
    return std::ranges::find(codes, language.substr(0, language.find_first_of("_-"))) != codes.end();
  };
  if (is_one_of({"zh", "zho", "chi", "cmn", "yue"})) return "zh";
  if (is_one_of({"ja", "jpn", "ko", "kor", "th", "tha", "lo", "lao", "km", "khm", "my", "mya", "bo", "bod"}))
    return "char";
  return "13a";
}

}  // namespace sft
