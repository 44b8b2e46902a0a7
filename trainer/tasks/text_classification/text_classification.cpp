#include "trainer/tasks/text_classification/text_classification.h"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/areas.h"
#include "trainer/metrics/calibration.h"
#include "trainer/metrics/classification_report.h"
#include "trainer/metrics/confusion.h"
#include "trainer/metrics/mean.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/label_loss.h"
#include "trainer/tasks/blocks/sequence_task.h"
#include "trainer/tasks/recipes/row_notes.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

// Statistics: counts [loss sum, rows, rows with a distribution, sum of their divergences, confusion counts K × K, those
// of Reliability for the given label]; rows those of Areas.
constexpr size_t kLossSum = 0, kRows = 1, kSoftRows = 2, kDivergence = 3, kCounts = 4;

class TextClassification final : public SequenceTask, public Deciding {
 public:
  TextClassification(const TaskSettings& settings, const Model& model)
      : SequenceTask(settings, model),
        loss_(settings, head_.output_bias()),
        num_areas_(names_.size() == 2                        ? 1
                   : asks_for_areas(settings.scores.metrics) ? names_.size()
                                                             : 0) {
    if (names_.size() != 2) return;
    if (const auto found = settings.scores.thresholds.find(names_[1]); found != settings.scores.thresholds.end())
      threshold_ = found->second;
  }

  Needs needs() const override { return loss_.needs(); }
  double weight(const Batch& batch) const override { return loss_.weight(batch); }
  at::Tensor loss_of(const at::Tensor& logits, const Batch& batch) const override { return loss_.sum(logits, batch); }
  void conclude() override { loss_.conclude(); }

  at::Tensor labels_given(const at::Tensor& logits) const override {
    if (!threshold_) return SequenceTask::labels_given(logits);
    const at::Tensor second_B = at::softmax(logits.to(at::kDouble).cpu(), 1).select(1, 1);
    return second_B.gt(*threshold_).to(at::kLong).unsqueeze(1).to(logits.device());
  }

  Statistics empty_statistics() const override {
    return {std::vector<double>(kCounts + num_confusions() + Reliability::kCounts)};
  }

  void accumulate(const at::Tensor& logits, const Batch& batch, Statistics& into) const override {
    const at::Tensor likely_BK = at::log_softmax(logits.to(at::kDouble), 1).cpu().contiguous();
    const double* likely = likely_BK.data_ptr<double>();
    const std::span<const int64_t> labels = batch.at("labels").as<int64_t>();
    for (size_t b = 0; b < labels.size(); ++b, likely += names_.size()) {
      if (labels[b] < 0) continue;
      const auto label = static_cast<size_t>(labels[b]);
      const size_t guess = given(likely, std::exp(likely[1]));
      Reliability::add(std::exp(likely[guess]), guess == label,
                       std::span(into.counts).subspan(kCounts + num_confusions()));
      add_surprise(batch, b, likely, into);
      into.counts[kRows] += 1;
      into.counts[kCounts + label * names_.size() + guess] += 1;
      if (num_areas_ > 0) add_to_areas(label, likely, into.rows);
    }
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    const double rows = total.counts[kRows];
    nlohmann::ordered_json all{{"loss", mean_of(total.counts[kLossSum], rows)}};
    const nlohmann::ordered_json scores = classification_scores(confusion(total));
    for (const auto& [name, value] : scores.items()) all[name] = value;
    if (loss_.learns_distributions() || total.counts[kSoftRows] > 0)
      all["kl"] = mean_of(total.counts[kDivergence], total.counts[kSoftRows]);
    if (num_areas_ > 0) all.update(Areas(static_cast<int64_t>(num_areas_), total.rows).scores());
    return all;
  }
  bool more_is_better(const std::string& metric) const override { return metric != "loss" && metric != "kl"; }

  nlohmann::ordered_json details(const Statistics& total) const override {
    nlohmann::ordered_json all = classification_details(confusion(total), names_);
    all["calibration"] = Reliability(std::span(total.counts).subspan(kCounts + num_confusions())).table();
    return all;
  }
  std::string default_metric() const override { return "accuracy"; }

  std::vector<std::string> predictions(const at::Tensor& logits, const Batch& batch) const override {
    const at::Tensor scores_BK = at::softmax(logits.to(at::kDouble), 1).cpu().contiguous();
    const double* score = scores_BK.data_ptr<double>();
    const bool is_reviewed = has_row_notes(batch.schema);
    std::vector<std::string> rows;
    for (size_t b = 0; b < static_cast<size_t>(scores_BK.size(0)); ++b, score += names_.size()) {
      const size_t best = given(score, score[1]);
      nlohmann::ordered_json row = {{"label", names_[best]}, {"score", score[best]}};
      for (size_t k = 0; k < names_.size(); ++k) row["scores"][names_[k]] = score[k];
      if (is_reviewed) tell_reference(batch, b, row);
      rows.push_back(row.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    }
    return rows;
  }

  void describe(nlohmann::json& config) const override {
    describe_as("single_label_classification", config);
    config.erase("sft_dist_threshold");
    config.erase("sft_dist_thresholds");
    if (threshold_) config["sft_dist_thresholds"] = {{names_[1], *threshold_}};
  }

  void add_outputs(const at::Tensor& logits, const Batch& batch, std::vector<double>& into) const override {
    const at::Tensor logits_BK = logits.to(at::kDouble).cpu().contiguous();
    const double* row = logits_BK.data_ptr<double>();
    const std::span<const int64_t> labels = batch.at("labels").as<int64_t>();
    const bool is_soft = has_distributions(batch.schema);
    for (size_t b = 0; b < labels.size(); ++b, row += names_.size()) {
      if (labels[b] < 0) continue;
      for (size_t k = 0; k < names_.size(); ++k)
        into.push_back(is_soft ? shares_of(batch, b)[k] : std::cmp_equal(labels[b], k));
      into.insert(into.end(), row, row + names_.size());
    }
  }
  Deciding* deciding() override { return this; }
  Squash squash() const override { return Squash::softmax; }
  StringList thresholded() const override { return names_.size() == 2 ? StringList{names_[1]} : StringList{}; }
  std::vector<double> thresholds() const override {
    return threshold_ ? std::vector<double>{*threshold_} : std::vector<double>{};
  }
  void set_thresholds(const std::vector<double>& thresholds) override { threshold_ = thresholds.at(0); }
  bool has_own_output() const override { return head_.has_own_output(); }
  void divide_logits(double temperature) override { head_.divide_logits(temperature); }

 private:
  size_t num_confusions() const { return names_.size() * names_.size(); }

  // The likeliest label, or by the threshold of two. `likelihoods` in any scale.
  size_t given(const double* likelihoods, double probability_of_second) const {
    if (threshold_) return probability_of_second > *threshold_ ? 1 : 0;
    return static_cast<size_t>(std::max_element(likelihoods, likelihoods + names_.size()) - likelihoods);
  }

  // The probability of each label, of a row that has them.
  static std::span<const float> shares_of(const Batch& batch, size_t b) {
    const Packed& all = batch.at(distribution_column(0).name);
    const size_t width = all.size() / batch.weights.size();
    return all.as<float>().subspan(b * width, width);
  }

  // −Σ p log q, where p is 1 at the label unless the row has a distribution; then also its divergence, Σ p log (p / q).
  static void add_surprise(const Batch& batch, size_t b, const double* likely, Statistics& into) {
    if (!has_distributions(batch.schema)) {
      into.counts[kLossSum] -= likely[batch.at("labels").as<int64_t>()[b]];
      return;
    }
    const std::span<const float> shares = shares_of(batch, b);
    for (size_t k = 0; k < shares.size(); ++k) {
      const double share = shares[k];
      if (share <= 0) continue;
      into.counts[kLossSum] -= share * likely[k];
      into.counts[kDivergence] += share * (std::log(share) - likely[k]);
    }
    into.counts[kSoftRows] += 1;
  }

  // The true label, and the row that has it.
  void tell_reference(const Batch& batch, size_t b, nlohmann::ordered_json& row) const {
    const int64_t label = batch.at("labels").as<int64_t>()[b];
    if (label < 0) return;
    row["reference"] = names_[static_cast<size_t>(label)];
    tell_row_notes(batch, b, row);
  }

  // Of two classes the second alone, of more each against the rest.
  void add_to_areas(size_t label, const double* likely, std::vector<double>& rows) const {
    std::vector<uint8_t> truth(num_areas_);
    std::vector<double> scores(num_areas_);
    const size_t first = names_.size() - num_areas_;
    for (size_t k = 0; k < num_areas_; ++k) {
      truth[k] = label == first + k;
      scores[k] = std::exp(likely[first + k]);
    }
    Areas::add(truth, scores, rows);
  }

  Confusion confusion(const Statistics& total) const {
    return {static_cast<int64_t>(names_.size()),
            std::span<const double>(total.counts).subspan(kCounts, num_confusions())};
  }

  LabelLoss loss_;
  std::optional<double> threshold_;  // of two labels: the second is given above it
  size_t num_areas_;                 // classes whose areas under curves are told
};

}  // namespace

std::unique_ptr<LogitsTask> make_text_classification(const TaskSettings& settings, const Model& model) {
  if (settings.labels.names.size() < 2)
    throw ConfigError(
        concat("text_classification needs at least two labels, and there are ", settings.labels.names.size()));
  require_accepted(settings.loss, {.targets = "one label a row is",
                                   .kinds = {"cross_entropy", "focal", "gce", "sce", "bootstrap"},
                                   .class_weights = true,
                                   .label_smoothing = true,
                                   .priors = true,
                                   .teacher = true});
  return std::make_unique<TextClassification>(settings, model);
}

}  // namespace sft
