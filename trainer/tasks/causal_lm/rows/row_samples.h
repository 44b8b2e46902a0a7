// Tokens of rows as samples: checked, cut to the length that a sample may have, and counted.
#pragma once

#include <string>

#include "data/prepare/recipe.h"
#include "data/samples/sample.h"
#include "data/text/tokenizer.h"
#include "trainer/tasks/causal_lm/rows/chat_spans.h"
#include "trainer/tasks/causal_lm/rows/conversation.h"
#include "trainer/tasks/causal_lm/rows/model_facts.h"
#include "trainer/tasks/causal_lm/rows/token_spans.h"

namespace sft::causal {

class RowSamples {
 public:
  // Borrows all but `answers`, whether rows bring answers, so that samples without trained tokens are left out.
  RowSamples(const Tokenizer& tokenizer, const ModelFacts& facts, const std::string& truncation, bool answers,
             SampleSink& out);

  // Appends none, one or many samples of a row. What is cut, left out or not trained is counted in the report. BadRow
  // for a row without tokens, with a begin-of-text token twice, or too long where truncation = "error"; DataError where
  // a token is none of the model's.
  void append(const Conversation& read, SpannedTokens tokens, const TurnsLeftOut& left_out);

 private:
  void check(const Row& row, const SpannedTokens& tokens) const;
  bool append_piece(const SpannedTokens& piece);

  const Tokenizer& tokenizer_;
  const ModelFacts& facts_;
  const std::string& truncation_;
  bool answers_;
  SampleSink& out_;
  Sample sample_;  // filled anew for each
};

}  // namespace sft::causal
