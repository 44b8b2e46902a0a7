// N tokens of targets, C channels, V words of the target.
#include "trainer/tasks/seq2seq_lm/seq2seq_lm.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/generation/generation_scores.h"
#include "trainer/models/blocks/token_loss.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/finite_outputs.h"
#include "trainer/tasks/blocks/head_layer.h"
#include "trainer/tasks/blocks/token_counts.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"
#include "trainer/tasks/seq2seq_lm/rows/fed_targets.h"

namespace sft {
namespace {

class Seq2seqLm final : public Task, private Generating {
 public:
  Seq2seqLm(const TaskSettings& settings, const Model& model)
      : smoothing_(settings.loss.label_smoothing_factor),
        start_id_(static_cast<int32_t>(model.pair()->start_id)),
        answers_(settings.scores.answers.generate),
        answer_scores_(settings.scores.generation),
        stops_(settings.stop_tokens.begin(), settings.stop_tokens.end()),
        tokenizer_(settings.tokenizer),
        of_targets_(tokenizer_ != nullptr ? Tokenizer::of_targets(tokenizer_->directory()) : nullptr),
        weight_VC_(model.output_embedding()),
        bias_V_(model.output_bias()) {
    if (!weight_VC_.defined())
      weight_VC_ = output_layer({.output = "lm_head", .has_bias = false}, model.pair()->target_vocab_size, model,
                                settings, parameters_)
                       .weight;
  }

  Needs needs() const override { return {{.column = seq2seq::target_tokens_column(0)}}; }
  Reads reads() const override { return Reads::all; }
  std::optional<std::vector<int32_t>> fed_tokens(const Batch& batch) const override {
    return seq2seq::fed_targets(batch, start_id_).fed;
  }
  bool reads_pooler() const override { return false; }
  bool keeps_pooler() const override { return false; }
  Parameters parameters() const override { return parameters_; }
  bool head_is_pretrained() const override { return true; }
  double flops(int64_t rows) const override {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(weight_VC_.numel());
  }

  Weights weights(const Batch& batch) const override { return {seq2seq::target_weight(batch)}; }

  at::Tensor loss_sum(Model&, const at::Tensor& x_NC, const Inputs&, const Batch& batch,
                      const Weights& total) override {
    const seq2seq::FedTargets rows = seq2seq::fed_targets(batch, start_id_);
    return token_loss_sum(x_NC, head(), rows.targets, rows.weights, total.front());
  }

  Statistics empty_statistics() const override {
    return {std::vector<double>(TokenCounts::kSize + GenerationScores::num_counts())};
  }

  void observe(Model&, const at::Tensor& x_NC, const Inputs&, const Batch& batch, const Asked& asked) override {
    const std::vector<int64_t> targets = seq2seq::fed_targets(batch, start_id_).targets;
    const TokenScores scores = token_scores(x_NC, head(), targets);
    if (asked.predictions != nullptr && !scores.are_finite()) refuse_not_finite(batch);
    const Offsets& ends = batch.offsets(seq2seq::kTargetAxis);
    for (size_t b = 0; b < batch.ids.size(); ++b) {
      std::vector<double> counts(TokenCounts::kSize);
      for (auto n = static_cast<size_t>(ends[b]); n < static_cast<size_t>(ends[b + 1]); ++n) {
        TokenCounts::add(scores, targets, n, counts);
        if (asked.statistics != nullptr) TokenCounts::add(scores, targets, n, asked.statistics->counts);
      }
      if (asked.predictions != nullptr)
        asked.predictions->push_back(TokenCounts::tokens(counts) > 0 ? TokenCounts::metrics(counts).dump() : "{}");
    }
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    nlohmann::ordered_json all = TokenCounts::metrics(total.counts);
    if (answers_) all.update(answer_scores(total).scores());
    return all;
  }
  nlohmann::ordered_json details(const Statistics& total) const override {
    nlohmann::ordered_json all{{"trained_tokens", TokenCounts::tokens(total.counts)}};
    if (answers_) all.update(answer_scores(total).details());
    return all;
  }
  std::string default_metric() const override { return "loss"; }
  bool more_is_better(const std::string& metric) const override { return metric != "loss" && metric != "perplexity"; }

  const Generating* generating() const override { return this; }

  void describe(nlohmann::json& config) const override {
    for (const char* key : {"num_labels", "id2label", "label2id", "problem_type"}) config.erase(key);
  }

 private:
  TokenHead head() const { return {weight_VC_, smoothing_, bias_V_}; }

  // The whole source.
  Prompt prompt(const Batch& batch, size_t b) const override {
    return {cell<int32_t>(batch, seq2seq::kTokens, b), batch.rows[b]};
  }

  at::Tensor next_logits(const at::Tensor& x_BC) const override { return token_logits(x_BC, head()); }

  nlohmann::ordered_json row(const Batch& batch, size_t b, const Continuation& said) const override {
    nlohmann::ordered_json told{{"prediction", spelled(said.tokens)}};
    if (const std::string own = own_answer(batch, b); !own.empty()) {
      told["reference"] = own;
      told["prompt"] = text_of(batch, seq2seq::kSourceText, b)
                           .value_or(tokenizer_->decode(cell<int32_t>(batch, seq2seq::kTokens, b)));
    }
    told["finish"] = said.stopped ? "stop" : "length";
    told["tokens"] = said.tokens.size();
    return told;
  }

  void compare(const Batch& batch, size_t b, const Continuation& said, Statistics& into) const override {
    const std::string reference = own_answer(batch, b), hypothesis = spelled(said.tokens);
    if (reference.empty()) return;
    GenerationScores::add({hypothesis, reference, static_cast<int64_t>(said.tokens.size()), said.stopped},
                          answer_scores_, std::span(into.counts).subspan(TokenCounts::kSize));
  }

  template <class T>
  static std::vector<T> cell(const Batch& batch, const char* column, size_t b) {
    const Offsets& offsets = batch.offsets(batch.schema.at(column).axis);
    const auto begin = batch.at(column).as<T>().begin();
    return {begin + offsets[b], begin + offsets[b + 1]};
  }

  // As the row has it, where the samples keep that.
  static std::optional<std::string> text_of(const Batch& batch, const char* column, size_t b) {
    if (batch.schema.find(column) == nullptr) return {};
    const std::vector<uint8_t> bytes = cell<uint8_t>(batch, column, b);
    return std::string(bytes.begin(), bytes.end());
  }

  // Without the token that ends it; empty where the row has no target.
  std::string own_answer(const Batch& batch, size_t b) const {
    if (auto text = text_of(batch, seq2seq::kTargetText, b)) return *text;
    std::vector<int32_t> answer = cell<int32_t>(batch, seq2seq::kTargetTokens, b);
    answer.erase(std::ranges::find_first_of(answer, stops_), answer.end());
    return spelled(answer);
  }

  std::string spelled(const std::vector<int32_t>& target) const {
    return (of_targets_ ? *of_targets_ : *tokenizer_).decode(target);
  }

  GenerationScores answer_scores(const Statistics& total) const {
    return {answer_scores_, std::span(total.counts).subspan(TokenCounts::kSize)};
  }

  double smoothing_;
  int32_t start_id_;
  bool answers_;  // evaluations let the model answer
  GenerationScoreConfig answer_scores_;
  std::vector<int32_t> stops_;
  const Tokenizer* tokenizer_;
  std::unique_ptr<Tokenizer> of_targets_;  // null: the same
  at::Tensor weight_VC_;                   // the model's own where it is tied
  at::Tensor bias_V_;
  Parameters parameters_;
};

}  // namespace

std::unique_ptr<Task> make_seq2seq_lm(const TaskSettings& settings, const Model& model) {
  if (settings.pooling != "auto")
    throw ConfigError("model.pooling is for texts that are classified; seq2seq_lm reads every token of a target");
  require_accepted(settings.loss,
                   {.targets = "tokens that follow are", .kinds = {"cross_entropy"}, .label_smoothing = true});
  if (!model.pair())
    throw ConfigError(concat("model.task = \"seq2seq_lm\": a model of model_type ",
                             in_quotes(model.config().value("model_type", "")),
                             " reads one text and has no decoder behind it; take t5, mt5 or marian"));
  return std::make_unique<Seq2seqLm>(settings, model);
}

}  // namespace sft
