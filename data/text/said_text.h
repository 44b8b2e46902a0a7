// The text of what a model says. Its special tokens frame texts and are no part of them: skip_special_tokens = true, as
// transformers' pipelines and example scripts decode answers.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "data/text/tokenizer.h"

namespace sft {

class SaidText {
 public:
  explicit SaidText(const Tokenizer& tokenizer);  // borrows it

  // Ids to text, special tokens left out.
  std::string of(std::span<const int32_t> ids) const;

 private:
  const Tokenizer& tokenizer_;
  std::set<int32_t> special_;
};

}  // namespace sft
