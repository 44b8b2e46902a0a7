// The tokens at which a model stops talking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/tokenizer.h"

namespace sft::causal {

class StopTokens {
 public:
  // eos_token_id of generation_config.json and of config.json in the tokenizer's directory, a number or a list, and all
  // special tokens of the tokenizer: a turn that ends in one is over.
  explicit StopTokens(const Tokenizer& tokenizer);

  const std::vector<int32_t>& eos_ids() const { return eos_ids_; }  // rising
  std::string eos_names() const;                                    // for messages: "<|im_end|>, </s>"

  // The token that the text ends in, or begins with; "" where it is none.
  std::string_view at_end_of(std::string_view text) const;
  std::string_view at_begin_of(std::string_view text) const;

  // The spelling of a special token; "" for another id.
  std::string name_of(int32_t id) const;

 private:
  struct Token {
    int32_t id = 0;
    std::string text;
  };
  void add(int32_t id, const std::string& text);

  std::vector<int32_t> eos_ids_;
  std::vector<Token> tokens_;  // the longest first
};

}  // namespace sft::causal
