// N packed tokens of B windows, C channels.
#include "trainer/tasks/question_answering/question_answering.h"

#include <ATen/ops/ones.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/answer_scores.h"
#include "trainer/metrics/answers.h"
#include "trainer/metrics/mean.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/head_layers.h"
#include "trainer/tasks/question_answering/answer_rows.h"
#include "trainer/tasks/question_answering/answering_config.h"
#include "trainer/tasks/question_answering/rows/kept_window.h"
#include "trainer/tasks/question_answering/rows/window_columns.h"
#include "trainer/tasks/question_answering/span_loss.h"

namespace sft {
namespace {

// Counts: [loss sum, windows, letters of true answers, Chinese and Japanese ones among them]. Rows: of each window the
// numbers of AnsweredWindow with scores by words, and then by characters.
constexpr size_t kLossSum = 0, kWindows = 1, kLetters = 2, kCjk = 3, kNumCounts = 4;
constexpr AnswerUnit kUnits[] = {AnswerUnit::word, AnswerUnit::character};

constexpr char kNullAnswers[] = "sft_dist_null_answers";  // in config.json: true where the model was taught some

bool allows_null_answers(const TaskSettings& settings, const Model& model) {
  const AutoBool wanted = settings.scores.extra.of<AnsweringConfig>().version_2_with_negative;
  if (wanted != AutoBool::automatic) return wanted == AutoBool::yes;
  if (!settings.labels.samples.columns.empty()) return lacks_answers(settings.labels.samples);
  return model.config().value(kNullAnswers, nlohmann::json()) == true;
}

// Logits in host memory, the starts of all tokens before their ends.
struct HostLogits {
  explicit HostLogits(const at::Tensor& logits_N2)
      : values(logits_N2.to(at::kFloat).t().contiguous().cpu()),
        starts(values.data_ptr<float>(), static_cast<size_t>(values.size(1))),
        ends(starts.data() + starts.size(), starts.size()) {}

  WindowLogits of(const KeptWindow& window, int64_t first_token) const {
    const auto first = static_cast<size_t>(first_token);
    return {starts.subspan(first, window.first.size()), ends.subspan(first, window.first.size()), window.first,
            window.end};
  }

  at::Tensor values;  // [2, N]
  std::span<const float> starts, ends;
};

class QuestionAnswering final : public LogitsTask {
 public:
  QuestionAnswering(const TaskSettings& settings, const Model& model)
      : QuestionAnswering(settings.scores.extra.of<AnsweringConfig>(), settings, model) {}

  Needs needs() const override { return {{.column = span_column(0)}}; }
  Reads reads() const override { return Reads::all; }
  bool reads_pooler() const override { return false; }
  bool keeps_pooler() const override { return false; }
  bool has_logits_of_samples() const override { return false; }
  Parameters parameters() const override { return layers_.parameters(); }
  std::optional<HeadFacts> head() const override {
    return HeadFacts{.shape = layers_.shape(), .pooling = {}, .outputs = {"start_logits", "end_logits"}};
  }

  at::Tensor logits(Model&, const at::Tensor& features, const Inputs& any, Mode mode) override {
    const TextInputs& inputs = text_of(any);
    return layers_.logits(features, inputs.draws_N, inputs.positions_N, mode);
  }

  double weight(const Batch& batch) const override {
    return std::accumulate(batch.weights.begin(), batch.weights.end(), 0.0);
  }

  at::Tensor loss_of(const at::Tensor& logits_N2, const Batch& batch) const override {
    const at::Tensor spans_B2 = sent(view_of(batch, "span"), logits_N2.options().dtype(at::kLong));
    const at::Tensor weights_B = sent(batch.weights, logits_N2.options());
    return span_loss_sum(logits_N2, batch.offsets("token"), spans_B2, weights_B);
  }

  Statistics empty_statistics() const override { return {std::vector<double>(kNumCounts)}; }

  void accumulate(const at::Tensor& logits_N2, const Batch& batch, Statistics& into) const override {
    const at::Tensor exact_N2 = logits_N2.to(at::kDouble).cpu();
    const at::Tensor sum = span_loss_sum(exact_N2, batch.offsets("token"), view_of(batch, "span").to(at::kLong),
                                         at::ones({batch.size()}, at::kDouble));
    into.counts[kLossSum] += sum.item<double>();
    into.counts[kWindows] += static_cast<double>(batch.size());
    require_kept_windows(batch.schema);
    const HostLogits logits(logits_N2);
    for (size_t b = 0; b < batch.rows.size(); ++b) score(batch, b, logits, into);
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    nlohmann::ordered_json all{{"loss", mean_of(total.counts[kLossSum], total.counts[kWindows])}};
    all.update(AnswerScores(numbers(total), null_answers_).scores());
    return all;
  }

  nlohmann::ordered_json details(const Statistics&) const override { return nlohmann::ordered_json::object(); }
  std::string default_metric() const override { return "f1"; }

  std::vector<std::string> predictions(const at::Tensor& logits_N2, const Batch& batch) const override {
    require_kept_windows(batch.schema);
    const HostLogits logits(logits_N2);
    std::vector<std::string> windows;
    for (size_t b = 0; b < batch.rows.size(); ++b) {
      const KeptWindow window = kept_window(batch, b);
      windows.push_back(window_prediction(window.id, best_spans(batch, b, window, logits), window.piece));
    }
    return windows;
  }

  std::string prediction_of_row(const std::vector<std::string>& windows) const override {
    return question_prediction(windows, limits_, null_answers_);
  }

  // transformers sizes the head by its number of labels, of which two are the default.
  void describe(nlohmann::json& config) const override {
    for (const char* key : {"num_labels", "id2label", "label2id", "problem_type"}) config.erase(key);
    config[kNullAnswers] = null_answers_.allowed;
  }

 private:
  QuestionAnswering(const AnsweringConfig& config, const TaskSettings& settings, const Model& model)
      : limits_{config.n_best_size, config.max_answer_length},
        null_answers_{allows_null_answers(settings, model), config.null_score_diff_threshold},
        unit_(config.answer_unit),
        layers_(model.output_head("qa_outputs"), 2, model, settings) {}

  static void require_kept_windows(const Schema& schema) {
    if (!keeps_windows(schema))
      throw DataError(
          "windows that were prepared to train on lack the contexts and answers that scores need; name "
          "the raw file, of which windows are made that have them");
  }

  BestSpans best_spans(const Batch& batch, size_t b, const KeptWindow& window, const HostLogits& logits) const {
    SpanSearch search(limits_);
    search.add(logits.of(window, batch.offsets("token")[b]));
    return search.finish();
  }

  void score(const Batch& batch, size_t b, const HostLogits& logits, Statistics& into) const {
    const KeptWindow window = kept_window(batch, b);
    LetterCounts letters;
    for (const std::string& answer : window.answers) letters.add(answer);
    into.counts[kLetters] += static_cast<double>(letters.letters);
    into.counts[kCjk] += static_cast<double>(letters.cjk);

    const BestSpans found = best_spans(batch, b, window, logits);
    AnsweredWindow scored{.row = static_cast<double>(batch.rows[b]),
                          .has_answer = window.answers.empty() ? 0.0 : 1.0,
                          .null_score = found.null_score};
    if (!found.spans.empty()) scored.best_score = found.spans.front().score;
    for (const AnswerUnit unit : kUnits) {
      if (!found.spans.empty()) {
        const ScoredSpan& best = found.spans.front();
        const AnswerScore score = score_answer(window.piece.cut(best.first, best.end), window.answers, unit);
        scored.exact = score.exact;
        scored.f1 = score.f1;
      }
      const AnswerScore empty = score_answer("", window.answers, unit);
      scored.empty_exact = empty.exact;
      scored.empty_f1 = empty.f1;
      scored.append_to(into.rows);
    }
  }

  AnswerUnit unit(const Statistics& total) const {
    if (unit_ == "word") return AnswerUnit::word;
    if (unit_ == "character") return AnswerUnit::character;
    return LetterCounts{static_cast<int64_t>(total.counts[kLetters]), static_cast<int64_t>(total.counts[kCjk])}.unit();
  }

  // Of each window, by the unit that is asked for.
  std::vector<double> numbers(const Statistics& total) const {
    constexpr size_t kOne = AnsweredWindow::kNumbers;
    const size_t skipped = unit(total) == AnswerUnit::character ? kOne : 0;
    std::vector<double> out;
    for (size_t i = skipped; i < total.rows.size(); i += 2 * kOne)
      out.insert(out.end(), total.rows.begin() + static_cast<std::ptrdiff_t>(i),
                 total.rows.begin() + static_cast<std::ptrdiff_t>(i + kOne));
    return out;
  }

  SpanLimits limits_;
  NullAnswers null_answers_;
  std::string unit_;  // auto | word | character
  HeadLayers layers_;
};

}  // namespace

std::unique_ptr<LogitsTask> make_question_answering(const TaskSettings& settings, const Model& model) {
  if (settings.pooling != "auto")
    throw ConfigError(
        concat("model.pooling = ", in_quotes(settings.pooling), ": question_answering reads every token"));
  require_accepted(settings.loss, {.targets = "one span a window is", .kinds = {"cross_entropy"}});
  return std::make_unique<QuestionAnswering>(settings, model);
}

}  // namespace sft
