// ROUGE of one hypothesis and its reference (Lin 2004): F-measures of shared words, of shared pairs of words and of the
// longest common subsequence. Equal to rouge_score 0.1.2 without its stemmer.
#pragma once

#include <string>
#include <string_view>

namespace sft {

struct RougeScore {
  double rouge1 = 0, rouge2 = 0, rougeL = 0;  // 0 to 1
};

// Words are runs of a to z and 0 to 9 in lower case, as in rouge_score; beyond it, each Chinese or Japanese character
// is a word, where rouge_score drops them all. Texts are valid UTF-8.
RougeScore rouge_score(std::string_view hypothesis, std::string_view reference);

// What the score was computed by.
std::string rouge_signature();

}  // namespace sft
