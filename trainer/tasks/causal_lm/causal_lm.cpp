// M trained tokens, C channels.
#include "trainer/tasks/causal_lm/causal_lm.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/finite_outputs.h"
#include "trainer/tasks/blocks/language_task.h"
#include "trainer/tasks/blocks/token_counts.h"
#include "trainer/tasks/causal_lm/rows/columns.h"
#include "trainer/tasks/causal_lm/rows/shifted_targets.h"

namespace sft {
namespace {

class CausalLm final : public LanguageTask {
 public:
  CausalLm(const TaskSettings& settings, const Model& model)
      : LanguageTask(settings, model, model.text_limits()->vocab_size) {}

  Needs needs() const override { return {{.column = causal::spans_column(0)}}; }
  Reads reads() const override { return Reads::with_target; }
  std::vector<int64_t> target_rows(const Batch& batch) const override { return causal::shifted_targets(batch).rows; }
  Weights weights(const Batch& batch) const override { return {causal::target_weight(batch)}; }

  at::Tensor loss_sum(Model&, const at::Tensor& x_MC, const Inputs&, const Batch& batch,
                      const Weights& total) override {
    const causal::ShiftedTargets trained = causal::shifted_targets(batch);
    return token_loss_sum(x_MC, head(), trained.targets, trained.weights, total.front());
  }

  void observe(Model&, const at::Tensor& x_MC, const Inputs&, const Batch& batch, const Asked& asked) override {
    const causal::ShiftedTargets trained = causal::shifted_targets(batch);
    const TokenScores scores = token_scores(x_MC, head(), trained.targets);
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

 private:
  // The tokens before the last span, or all of them where none is trained.
  Prompt prompt(const Batch& batch, size_t b) const override {
    const std::span<const int32_t> all = tokens_of(batch, b);
    const auto first = static_cast<size_t>(last_span(batch, b).first);
    return {{all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first)}, batch.rows[b]};
  }

  std::string asked(const Batch& batch, size_t b) const override {
    return tokenizer().decode(prompt(batch, b).tokens);
  }

  // The last span, without what a template puts behind the token that ends it.
  std::optional<Reference> reference(const Batch& batch, size_t b) const override {
    if (!has_span(batch, b)) return {};
    const auto [first, end] = last_span(batch, b);
    const std::span<const int32_t> all = tokens_of(batch, b);
    std::vector<int32_t> answer(all.begin() + first, all.begin() + end);
    cut_at_stop(answer);
    return reference_of(answer);
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
