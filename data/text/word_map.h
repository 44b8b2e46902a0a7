// Which word each token of an encoded text is of, told by the tokens alone: texts need not be at hand, and any
// tokenizer that decodes has one.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "data/text/tokenizer.h"

namespace sft {

struct TokenWords {
  std::vector<std::string> words;  // as they are decoded, without blanks around them
  std::vector<int32_t> word_of;    // of each token; −1 for the special tokens that stand around texts
};

class WordMap {
 public:
  explicit WordMap(const Tokenizer& tokenizer);  // borrowed

  // A word begins where decoding puts a blank between two tokens, and at the first token of each text of a pair.
  TokenWords of(std::span<const int32_t> ids) const;

  // The id of "[MASK]" or "<mask>", where the tokenizer has one of them.
  std::optional<int32_t> mask_id() const { return mask_id_; }

 private:
  bool begins_word(int32_t before, int32_t id) const;

  const Tokenizer& tokenizer_;
  std::set<int32_t> around_;  // special tokens that the template puts around texts
  std::optional<int32_t> mask_id_;
};

}  // namespace sft
