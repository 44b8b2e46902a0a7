#include "trainer/metrics/answers.h"

#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "data/text/letters.h"

namespace sft {
namespace {

using Segments = std::vector<std::u32string>;

// Blank in place of a, an and the where nothing of a word stands beside them.
void blank_articles(std::u32string& text) {
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && is_alphanumeric(text[end])) ++end;
    const std::u32string_view word = std::u32string_view(text).substr(begin, end - begin);
    if (word == U"a" || word == U"an" || word == U"the") text.replace(begin, word.size(), word.size(), U' ');
    begin = std::max(end, begin + 1);
  }
}

// SQuAD's normalize_answer, in words.
Segments words_of(std::string_view text) {
  std::u32string characters = characters_of(lowercase(text));
  std::erase_if(characters, is_punctuation);
  blank_articles(characters);
  return words_between_spaces(characters);
}

double harmonic_mean(size_t common, size_t found, size_t wanted) {
  if (common == 0) return 0;
  const double precision = static_cast<double>(common) / static_cast<double>(found);
  const double recall = static_cast<double>(common) / static_cast<double>(wanted);
  return 2 * precision * recall / (precision + recall);
}

AnswerScore score_words(const Segments& found, const Segments& wanted) {
  const bool equal = found == wanted;
  if (found.empty() || wanted.empty()) return {equal ? 1.0 : 0.0, equal ? 1.0 : 0.0};
  std::map<std::u32string, int64_t> left;
  for (const auto& word : wanted) ++left[word];
  size_t common = 0;
  for (const auto& word : found) common += left[word]-- > 0;
  return {equal ? 1.0 : 0.0, harmonic_mean(common, found.size(), wanted.size())};
}

// Those of CMRC's list; it has an ellipsis as two characters, which is equal to none.
bool is_dropped(char32_t character) {
  constexpr std::u32string_view kSigns = U"-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』";
  return kSigns.find(character) != kSigns.npos;
}

std::u32string without_signs(std::string_view text) {
  const std::u32string characters = characters_of(lowercase(text));
  std::u32string out(stripped(characters));
  std::erase_if(out, is_dropped);
  return out;
}

// A word with the signs at its ends as segments of their own.
void append_word(const std::u32string& word, Segments& out) {
  size_t begin = 0, end = word.size();
  for (; begin < end && is_punctuation(word[begin]); ++begin) out.emplace_back(1, word[begin]);
  while (end > begin && is_punctuation(word[end - 1])) --end;
  if (begin < end) out.push_back(word.substr(begin, end - begin));
  for (; end < word.size(); ++end) out.emplace_back(1, word[end]);
}

Segments segments_of(const std::u32string& text) {
  Segments out;
  std::u32string other;
  const auto finish = [&] {
    for (const std::u32string& word : words_between_spaces(other)) append_word(word, out);
    other.clear();
  };
  for (const char32_t character : text) {
    if (character < 0x4E00 || character > 0x9FA5) {
      other += character;
      continue;
    }
    finish();
    out.emplace_back(1, character);
  }
  finish();
  return out;
}

size_t longest_common_run(const Segments& a, const Segments& b) {
  size_t longest = 0;
  std::vector<size_t> run(b.size() + 1, 0);  // that ends before each of b, and with the last one seen of a
  for (const auto& segment : a) {
    for (size_t j = b.size(); j > 0; --j) {
      run[j] = segment == b[j - 1] ? run[j - 1] + 1 : 0;
      longest = std::max(longest, run[j]);
    }
  }
  return longest;
}

AnswerScore score_characters(std::string_view answer, std::string_view wanted) {
  const std::u32string found_text = without_signs(answer), wanted_text = without_signs(wanted);
  const Segments found = segments_of(found_text), truth = segments_of(wanted_text);
  return {found_text == wanted_text ? 1.0 : 0.0,
          harmonic_mean(longest_common_run(found, truth), found.size(), truth.size())};
}

}  // namespace

AnswerScore score_answer(std::string_view answer, const std::vector<std::string>& truth, AnswerUnit unit) {
  AnswerScore best;
  const auto improve = [&](const AnswerScore& score) {
    best = {std::max(best.exact, score.exact), std::max(best.f1, score.f1)};
  };
  if (unit == AnswerUnit::character && !truth.empty()) {
    for (const std::string& wanted : truth) improve(score_characters(answer, wanted));
    return best;
  }
  const Segments found = words_of(answer);
  bool any = false;
  for (const std::string& text : truth) {
    const Segments wanted = words_of(text);
    if (wanted.empty()) continue;
    improve(score_words(found, wanted));
    any = true;
  }
  if (!any) improve(score_words(found, {}));
  return best;
}

void LetterCounts::add(std::string_view text) {
  for (const char32_t character : characters_of(text)) {
    letters += is_alphanumeric(character);
    cjk += is_cjk(character);
  }
}

}  // namespace sft
