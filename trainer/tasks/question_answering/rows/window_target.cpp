// run_qa.py looks for the last token that begins before the answer and the first that ends behind it. Where a character
// has several tokens, as in byte-level BPE, that would be its last one for the start and its first one for the end.
#include "trainer/tasks/question_answering/rows/window_target.h"

#include <algorithm>

#include "base/utf8.h"
#include "data/text/letters.h"

namespace sft {
namespace {

struct Places {
  int64_t begin, end;
};

// Without the white space around it, of which many tokenizers make no token.
Places characters_of(const MarkedAnswer& answer) {
  const std::u32string characters = sft::characters_of(answer.text);
  const auto first = std::find_if_not(characters.begin(), characters.end(), is_white_space);
  if (first == characters.end()) return {answer.first, answer.first + std::ssize(characters)};
  const auto end = std::find_if_not(characters.rbegin(), characters.rend(), is_white_space).base();
  return {answer.first + (first - characters.begin()), answer.first + (end - characters.begin())};
}

}  // namespace

std::array<int32_t, 2> target_of(const ContextWindow& window, const Question& question) {
  constexpr std::array<int32_t, 2> kNone = {0, 0};
  if (question.answers.empty()) return kNone;
  const auto [begin, end] = characters_of(question.answers.front());  // the others are for scores alone
  std::array<int32_t, 2> covering = {-1, -1};
  int64_t first_held = end, end_held = begin;  // of the context
  for (size_t token = 0; token < window.ids.size(); ++token) {
    if (window.first[token] < 0) continue;
    first_held = std::min<int64_t>(first_held, window.first[token]);
    end_held = std::max<int64_t>(end_held, window.end[token]);
    if (window.first[token] >= end || window.end[token] <= begin) continue;
    if (covering[0] < 0) covering[0] = static_cast<int32_t>(token);
    covering[1] = static_cast<int32_t>(token);
  }
  const bool holds_all = covering[0] >= 0 && first_held <= begin && end_held >= end;
  return holds_all ? covering : kNone;
}

}  // namespace sft
