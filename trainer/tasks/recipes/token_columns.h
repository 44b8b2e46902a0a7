// The columns that recipes of texts share: ids of tokens and, where the tokenizer tells parts of a text apart, of
// segments.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "data/prepare/data_config.h"
#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

class TokenColumns {
 public:
  // Borrows both; `tokenizer` has the truncation of `config` set.
  TokenColumns(const DataConfig& config, const Tokenizer& tokenizer);

  const Tokenizer& tokenizer() const { return tokenizer_; }
  nlohmann::json key() const;

  // Tokens, `target` and segments.
  Schema schema(const Column& target) const;
  static constexpr size_t kTarget = 1;  // the place of `target`

  // Of this schema, with what a shard says of its tokenizer.
  ShardInfo shard(Schema schema) const;

  // Begins a row and fills the cells of its tokens and segments. False where its encoding cannot be kept; it is
  // refused.
  bool begin(const Row& row, const Encoding& encoding, Sample& sample, SampleSink& out) const;

 private:
  std::string problem_of(const Encoding& encoding) const;  // why it cannot be kept; "" where it can
  bool is_mostly_unknown(const Encoding& encoding) const;

  const DataConfig& config_;
  const Tokenizer& tokenizer_;
  bool has_segments_;
  std::optional<int32_t> unknown_;  // the token of what the tokenizer does not know, where it has one
};

}  // namespace sft
