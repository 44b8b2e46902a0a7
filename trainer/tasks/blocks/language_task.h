// What tasks share whose model writes token after token: the layer of words and its loss, the scores of tokens and of
// answers, and how an answer is told. Loss and scores are those of trainer/tasks/blocks/token_counts.h.
//
//   B sequences, M rows, C channels, V words
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/text/said_text.h"
#include "trainer/models/blocks/token_loss.h"
#include "trainer/tasks/task.h"

namespace sft {

// A sample's own answer.
struct Reference {
  std::string text;
  bool has_words = true;  // false: special tokens alone, which are its text then
};

class LanguageTask : public Task, protected Generating {
 public:
  bool reads_pooler() const override { return false; }
  bool keeps_pooler() const override { return false; }
  Parameters parameters() const override { return parameters_; }
  bool head_is_pretrained() const override { return true; }
  double flops(int64_t rows) const override;

  // TokenCounts::kSize numbers, then GenerationScores::num_counts().
  Statistics empty_statistics() const override;
  nlohmann::ordered_json metrics(const Statistics& total) const override;
  nlohmann::ordered_json details(const Statistics& total) const override;
  std::string default_metric() const override { return "loss"; }
  bool more_is_better(const std::string& metric) const override { return metric != "loss" && metric != "perplexity"; }

  const Generating* generating() const override { return this; }
  void describe(nlohmann::json& config) const override;

 protected:
  // The layer of words is the model's own table where it is tied, else a parameter of `num_words` rows.
  LanguageTask(const TaskSettings& settings, const Model& model, int64_t num_words);

  TokenHead head() const { return {weight_VC_, smoothing_, bias_V_}; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  // Without the token that ends it, and what stands behind that one.
  void cut_at_stop(std::vector<int32_t>& answer) const;

  // Sample b's own answer; nothing: it has none.
  virtual std::optional<Reference> reference(const Batch& batch, size_t b) const = 0;
  // What stands before the answer, as text.
  virtual std::string asked(const Batch& batch, size_t b) const = 0;
  // The text of an answer, without special tokens.
  virtual std::string spelled(const std::vector<int32_t>& tokens) const { return said_->of(tokens); }
  // With them.
  virtual std::string spelled_whole(const std::vector<int32_t>& tokens) const { return tokenizer_->decode(tokens); }
  Reference reference_of(const std::vector<int32_t>& answer) const;

 private:
  at::Tensor next_logits(const at::Tensor& x_BC) const override { return token_logits(x_BC, head()); }
  nlohmann::ordered_json row(const Batch& batch, size_t b, const Continuation& said) const override;
  void compare(const Batch& batch, size_t b, const Continuation& said, Statistics& into) const override;

  // What is said, in the words that it is compared with `own` in.
  std::string compared(const Continuation& said, const std::optional<Reference>& own) const;

  double smoothing_;
  bool answers_;  // evaluations let the model answer
  GenerationScoreConfig answer_scores_;
  std::vector<int32_t> stops_;
  const Tokenizer* tokenizer_;
  std::optional<SaidText> said_;  // nothing: no tokenizer
  at::Tensor weight_VC_, bias_V_;
  Parameters parameters_;
};

}  // namespace sft
