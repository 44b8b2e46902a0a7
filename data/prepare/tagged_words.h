// Words and their tags as a row brings them, and the targets of tokens that follow from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/prepare/labels.h"
#include "data/readers/row.h"
#include "data/samples/schema.h"
#include "data/text/tokenizer.h"

namespace sft {

// A text as words. `text` is the row's own where it brings one string, else the words joined by spaces.
struct Words {
  std::string text;
  std::vector<std::string> words;
  std::vector<size_t> begins;  // of each word, a byte of the text
};

// From a list of strings, or from a string that is cut at ASCII white space. CellProblem for anything else.
void read_words(const Cell& cell, Words& out);

// From a list of names or ids, or a string that is cut at white space. CellProblem where there is not one a word.
void read_tags(const Cell& cell, size_t num_words, std::vector<Label>& out);

// The place of the first tag I-X that neither B-X nor I-X goes before; −1 where there is none.
int64_t first_broken(const std::vector<int64_t>& labels, const std::vector<std::string>& label_names);

// What stands for a word in the targets: its first token alone, or all of its tokens, those behind the first with the
// label I-X where the word's is B-X and I-X is known (as transformers' run_ner does).
class TokenTargets {
 public:
  static TokenTargets of_first_tokens() { return TokenTargets({}); }
  static TokenTargets of_all_tokens(const std::vector<std::string>& label_names);

  // Labels by word to labels by token: kNoTarget where a token has none.
  void put(const Encoding& encoding, const std::vector<int64_t>& word_labels, std::vector<int32_t>& out) const;

 private:
  explicit TokenTargets(std::vector<int32_t> behind) : behind_(std::move(behind)) {}
  std::vector<int32_t> behind_;  // the label of a word's further tokens, by the word's; empty: none
};

}  // namespace sft
