// One side of all pairs, as tokens: what cuts its texts, what ends them, how long they may be.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "data/prepare/data_config.h"
#include "data/readers/row.h"
#include "data/samples/side.h"
#include "data/text/tokenizer.h"

namespace sft::seq2seq {

class TextSide {
 public:
  // Borrows the tokenizer. Positions and sizes of vocabularies are those of config.json in its directory. ConfigError
  // where neither the tokenizer nor config.json has a token that ends a text.
  TextSide(Side side, const DataConfig& config, const Tokenizer& tokenizer);

  const Tokenizer& tokenizer() const { return tokenizer_; }
  const char* name() const { return side_ == Side::source ? "source" : "target"; }
  int64_t max_length() const { return max_length_; }  // of the setting, or fewer positions that the model has
  int32_t end() const { return end_.back(); }         // the token that ends a text

  bool is_cut_to_positions() const { return is_cut_to_positions_; }

  // For messages: "max_length = 512", "512 positions of the model".
  std::string limit() const;

  // Each ends in end(); none is cut.
  std::vector<std::vector<int32_t>> tokens_of(const std::vector<std::string_view>& texts) const;

  // BadRow for a text without tokens; DataError naming the token that the model has no embedding for.
  void check(const Row& row, const std::vector<int32_t>& tokens) const;

  bool is_too_long(const std::vector<int32_t>& tokens) const { return std::ssize(tokens) > max_length_; }

  // The first tokens of a text that is too long, and its end.
  void cut(std::vector<int32_t>& tokens) const;

  // All that tokens follow from.
  nlohmann::json key() const;

 private:
  Side side_;
  const Tokenizer& tokenizer_;
  std::vector<int32_t> end_;  // what the tokenizer puts behind a text
  bool puts_end_ = true;      // else this class does
  int64_t num_added_ = 0;     // tokens that stand around a text
  int64_t max_length_ = 0;
  bool is_cut_to_positions_ = false;
  int64_t vocab_size_ = 0;  // of the model's embeddings; 0: not known
};

}  // namespace sft::seq2seq
