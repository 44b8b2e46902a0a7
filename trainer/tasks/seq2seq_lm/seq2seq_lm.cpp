// N tokens of targets, C channels.
#include "trainer/tasks/seq2seq_lm/seq2seq_lm.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/finite_outputs.h"
#include "trainer/tasks/blocks/language_task.h"
#include "trainer/tasks/blocks/token_counts.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"
#include "trainer/tasks/seq2seq_lm/rows/fed_targets.h"

namespace sft {
namespace {

class Seq2seqLm final : public LanguageTask {
 public:
  Seq2seqLm(const TaskSettings& settings, const Model& model)
      : LanguageTask(settings, model, model.pair()->target_vocab_size),
        start_id_(static_cast<int32_t>(model.pair()->start_id)),
        of_targets_(settings.tokenizer != nullptr ? Tokenizer::of_targets(settings.tokenizer->directory()) : nullptr) {
    if (of_targets_) said_of_targets_.emplace(*of_targets_);
  }

  Needs needs() const override { return {{.column = seq2seq::target_tokens_column(0)}}; }
  Reads reads() const override { return Reads::all; }
  std::optional<std::vector<int32_t>> fed_tokens(const Batch& batch) const override {
    return seq2seq::fed_targets(batch, start_id_).fed;
  }
  Weights weights(const Batch& batch) const override { return {seq2seq::target_weight(batch)}; }

  at::Tensor loss_sum(Model&, const at::Tensor& x_NC, const Inputs&, const Batch& batch,
                      const Weights& total) override {
    const seq2seq::FedTargets rows = seq2seq::fed_targets(batch, start_id_);
    return token_loss_sum(x_NC, head(), rows.targets, rows.weights, total.front());
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

 private:
  // The whole source.
  Prompt prompt(const Batch& batch, size_t b) const override {
    return {cell<int32_t>(batch, seq2seq::kTokens, b), batch.rows[b]};
  }

  std::string asked(const Batch& batch, size_t b) const override {
    return text_of(batch, seq2seq::kSourceText, b)
        .value_or(tokenizer().decode(cell<int32_t>(batch, seq2seq::kTokens, b)));
  }

  std::optional<Reference> reference(const Batch& batch, size_t b) const override {
    std::vector<int32_t> answer = cell<int32_t>(batch, seq2seq::kTargetTokens, b);
    cut_at_stop(answer);
    const std::optional<std::string> text = text_of(batch, seq2seq::kTargetText, b);
    const Reference own = reference_of(answer);
    if (text.value_or(own.text).empty()) return {};
    const bool is_unknown = text && *text != own.text;  // words that the vocabulary lacks are special tokens to it
    return own.has_words || is_unknown ? Reference{text.value_or(own.text)} : own;
  }

  std::string spelled(const std::vector<int32_t>& target) const override {
    return said_of_targets_ ? said_of_targets_->of(target) : LanguageTask::spelled(target);
  }

  std::string spelled_whole(const std::vector<int32_t>& target) const override {
    return of_targets_ ? of_targets_->decode(target) : LanguageTask::spelled_whole(target);
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

  int32_t start_id_;
  std::unique_ptr<Tokenizer> of_targets_;    // null: the same
  std::optional<SaidText> said_of_targets_;  // nothing: in the same words
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
                             " reads one text and has no decoder behind it; take bart, marian, mt5 or t5"));
  return std::make_unique<Seq2seqLm>(settings, model);
}

}  // namespace sft
