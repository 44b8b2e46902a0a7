// M trained tokens, C channels, V words.
#include "trainer/tasks/causal_lm/causal_lm.h"

#include <algorithm>
#include <nlohmann/json.hpp>
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
#include "trainer/tasks/causal_lm/rows/columns.h"
#include "trainer/tasks/causal_lm/rows/shifted_targets.h"

namespace sft {
namespace {

class CausalLm final : public Task, private Generating {
 public:
  CausalLm(const TaskSettings& settings, const Model& model)
      : smoothing_(settings.loss.label_smoothing_factor),
        answers_(settings.scores.answers.generate),
        answer_scores_(settings.scores.generation),
        stops_(settings.stop_tokens.begin(), settings.stop_tokens.end()),
        tokenizer_(settings.tokenizer),
        weight_VC_(model.output_embedding()) {
    if (weight_VC_.defined()) return;
    weight_VC_ = output_layer({.output = "lm_head", .has_bias = false}, model.text_limits()->vocab_size, model,
                              settings, parameters_)
                     .weight;
    parameters_.back().may_be_narrow = true;
  }

  Needs needs() const override { return {{.column = causal::spans_column(0)}}; }
  Reads reads() const override { return Reads::with_target; }
  std::vector<int64_t> target_rows(const Batch& batch) const override { return causal::shifted_targets(batch).rows; }
  bool reads_pooler() const override { return false; }
  bool keeps_pooler() const override { return false; }
  Parameters parameters() const override { return parameters_; }
  bool head_is_pretrained() const override { return true; }
  double flops(int64_t rows) const override {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(weight_VC_.numel());
  }

  Weights weights(const Batch& batch) const override { return {causal::target_weight(batch)}; }

  at::Tensor loss_sum(Model&, const at::Tensor& x_MC, const Inputs&, const Batch& batch,
                      const Weights& total) override {
    const causal::ShiftedTargets trained = causal::shifted_targets(batch);
    return token_loss_sum(x_MC, {weight_VC_, smoothing_}, trained.targets, trained.weights, total.front());
  }

  Statistics empty_statistics() const override {
    return {std::vector<double>(TokenCounts::kSize + GenerationScores::num_counts())};
  }

  void observe(Model&, const at::Tensor& x_MC, const Inputs&, const Batch& batch, const Asked& asked) override {
    const causal::ShiftedTargets trained = causal::shifted_targets(batch);
    const TokenScores scores = token_scores(x_MC, {weight_VC_}, trained.targets);
    if (asked.statistics != nullptr)
      for (size_t m = 0; m < trained.targets.size(); ++m)
        TokenCounts::add(scores, trained.targets, m, asked.statistics->counts);
    if (asked.predictions == nullptr) return;
    if (!scores.are_finite()) refuse_not_finite(batch);
    std::vector<std::vector<double>> by_sample(batch.ids.size(), std::vector<double>(TokenCounts::kSize));
    const Offsets& ends = batch.offsets("token");
    for (size_t m = 0, b = 0; m < trained.targets.size(); ++m) {
      while (trained.rows[m] >= ends[b + 1]) ++b;
      TokenCounts::add(scores, trained.targets, m, by_sample[b]);
    }
    for (const std::vector<double>& counts : by_sample)
      asked.predictions->push_back(TokenCounts::tokens(counts) > 0 ? TokenCounts::metrics(counts).dump() : "{}");
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
  // The tokens before the last span, or all of them where none is trained.
  Prompt prompt(const Batch& batch, size_t b) const override {
    const std::span<const int32_t> all = tokens_of(batch, b);
    const auto first = static_cast<size_t>(last_span(batch, b).first);
    return {{all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first)}, batch.rows[b]};
  }

  at::Tensor next_logits(const at::Tensor& x_BC) const override { return token_logits(x_BC, {weight_VC_}); }

  nlohmann::ordered_json row(const Batch& batch, size_t b, const Continuation& said) const override {
    nlohmann::ordered_json told{{"prediction", spelled(said.tokens)}};
    if (has_span(batch, b)) {
      told["reference"] = spelled(own_answer(batch, b));
      told["prompt"] = spelled(prompt(batch, b).tokens);
    }
    told["finish"] = said.stopped ? "stop" : "length";
    told["tokens"] = said.tokens.size();
    return told;
  }

  void compare(const Batch& batch, size_t b, const Continuation& said, Statistics& into) const override {
    if (!has_span(batch, b)) return;
    const std::string hypothesis = spelled(said.tokens), reference = spelled(own_answer(batch, b));
    GenerationScores::add({hypothesis, reference, static_cast<int64_t>(said.tokens.size()), said.stopped},
                          answer_scores_, std::span(into.counts).subspan(TokenCounts::kSize));
  }

  static std::span<const int32_t> tokens_of(const Batch& batch, size_t b) {
    const Offsets& offsets = batch.offsets("token");
    return batch.at("tokens").as<int32_t>().subspan(static_cast<size_t>(offsets[b]),
                                                    static_cast<size_t>(offsets[b + 1] - offsets[b]));
  }
  static bool has_span(const Batch& batch, size_t b) {
    const Offsets& offsets = batch.offsets("span");
    return offsets[b] < offsets[b + 1];
  }
  static std::pair<int64_t, int64_t> last_span(const Batch& batch, size_t b) {
    const auto length = static_cast<int64_t>(tokens_of(batch, b).size());
    if (!has_span(batch, b)) return {length, length};
    const std::span<const int32_t> spans = batch.at("spans").as<int32_t>();
    const auto end = static_cast<size_t>(2 * batch.offsets("span")[b + 1]);
    return {spans[end - 2], spans[end - 1]};
  }
  GenerationScores answer_scores(const Statistics& total) const {
    return {answer_scores_, std::span(total.counts).subspan(TokenCounts::kSize)};
  }

  // Without what stands behind its last word: the token that ends it, and what a template puts there.
  std::vector<int32_t> own_answer(const Batch& batch, size_t b) const {
    const auto [first, end] = last_span(batch, b);
    const std::span<const int32_t> all = tokens_of(batch, b);
    std::vector<int32_t> answer(all.begin() + first, all.begin() + end);
    const auto stop = std::ranges::find_first_of(answer, stops_);
    answer.erase(stop, answer.end());
    return answer;
  }
  std::string spelled(const std::vector<int32_t>& tokens) const { return tokenizer_->decode(tokens); }

  double smoothing_;
  bool answers_;  // evaluations let the model answer
  GenerationScoreConfig answer_scores_;
  std::vector<int32_t> stops_;
  const Tokenizer* tokenizer_;
  at::Tensor weight_VC_;  // the model's own where it is tied
  Parameters parameters_;
};

}  // namespace

std::unique_ptr<Task> make_causal_lm(const TaskSettings& settings, const Model& model) {
  if (settings.pooling != "auto")
    throw ConfigError("model.pooling is for texts that are classified; causal_lm reads every trained token");
  require_accepted(settings.loss,
                   {.targets = "tokens that follow are", .kinds = {"cross_entropy"}, .label_smoothing = true});
  if (!model.text_limits() || model.sequence_head().reads != Reads::last)
    throw ConfigError(concat("model.task = \"causal_lm\": a model of model_type ",
                             in_quotes(model.config().value("model_type", "")),
                             " sees tokens on both sides, and cannot learn to foretell them; take a decoder, such as "
                             "gpt2, llama, mistral, qwen2 or qwen3"));
  return std::make_unique<CausalLm>(settings, model);
}

}  // namespace sft
