// How near an answer is to the answers that people gave. By words as the evaluation of SQuAD 2.0, by characters as that
// of CMRC 2018.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sft {

enum class AnswerUnit { word, character };

struct AnswerScore {
  double exact = 0;  // 0 or 1
  double f1 = 0;     // 0 to 1
};

// The best over the true answers, each score by itself. None is a question without an answer, which the empty text
// answers rightly.
//
// word: in lower case, without ASCII punctuation, the words a, an, the and extra white space; f1 of the multisets of
// words. True answers of which that leaves nothing do not count.
// character: in lower case, without the signs that CMRC's script drops; f1 of the longest run of segments that both
// have, where a Chinese character is a segment, and all else is cut at white space, with the signs at a word's ends
// apart (the script asks NLTK there).
AnswerScore score_answer(std::string_view answer, const std::vector<std::string>& truth, AnswerUnit unit);

// For answer_unit = "auto": character where half of the letters or more are Chinese or Japanese.
struct LetterCounts {
  int64_t letters = 0, cjk = 0;

  void add(std::string_view text);
  AnswerUnit unit() const { return letters > 0 && 2 * cjk >= letters ? AnswerUnit::character : AnswerUnit::word; }
};

}  // namespace sft
