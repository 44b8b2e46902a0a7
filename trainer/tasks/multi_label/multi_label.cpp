// B samples, K labels.
#include "trainer/tasks/multi_label/multi_label.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/areas.h"
#include "trainer/metrics/calibration.h"
#include "trainer/metrics/label_sets.h"
#include "trainer/metrics/mean.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/logit_adjustment.h"
#include "trainer/tasks/blocks/sequence_task.h"
#include "trainer/tasks/multi_label/pos_weights.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

// Statistics: counts [loss sum, targets, those of Reliability for all labels, those of LabelSets]; rows those of Areas,
// where they are asked for.
constexpr size_t kLossSum = 0, kTargets = 1, kReliability = 2, kCounts = kReliability + Reliability::kCounts;

class MultiLabel final : public SequenceTask, public Deciding {
 public:
  MultiLabel(const TaskSettings& settings, const Model& model)
      : SequenceTask(settings, model),
        smoothing_(settings.loss.label_smoothing_factor),
        thresholds_(names_.size(), settings.scores.threshold),
        has_areas_(asks_for_areas(settings.scores.metrics)),
        adjustment_(settings, LogitAdjustment::Of::sets, head_.output_bias()) {
    for (size_t k = 0; k < names_.size(); ++k)
      if (const auto found = settings.scores.thresholds.find(names_[k]); found != settings.scores.thresholds.end())
        thresholds_[k] = found->second;
    const auto weights =
        pos_weights(settings.loss.pos_weight, names_, settings.labels.counts, settings.labels.num_rows);
    pos_weights_K_ = at::tensor(weights, at::kDouble).to(settings.device, settings.dtype);
  }

  Needs needs() const override { return {{.column = label_set_column(num_labels())}}; }

  // torch's mean: over samples and labels, whatever pos_weight is.
  double weight(const Batch& batch) const override {
    const double samples = std::accumulate(batch.weights.begin(), batch.weights.end(), 0.0);
    return samples * static_cast<double>(names_.size());
  }

  // Smoothing moves each target towards one half, as Keras's BinaryCrossentropy does.
  at::Tensor loss_of(const at::Tensor& logits, const Batch& batch) const override {
    const at::Tensor rows = sent(batch.weights, logits.options()).unsqueeze(1);
    const at::Tensor targets_BK = sent(view_of(batch, "labels"), logits.options()) * (1 - smoothing_) + smoothing_ / 2;
    const at::Tensor surprise_BK = at::binary_cross_entropy_with_logits(adjustment_.in_loss(logits), targets_BK, {},
                                                                        pos_weights_K_, at::Reduction::None);
    return (rows * surprise_BK).sum();
  }

  void conclude() override { adjustment_.take_from_bias(); }

  Statistics empty_statistics() const override {
    return {std::vector<double>(kCounts + LabelSets::num_counts(num_labels()))};
  }

  void accumulate(const at::Tensor& logits, const Batch& batch, Statistics& into) const override {
    const at::Tensor logits_BK = logits.to(at::kDouble).cpu(), truths_BK = view_of(batch, "labels");
    const at::Tensor surprise =
        at::binary_cross_entropy_with_logits(logits_BK, truths_BK.to(at::kDouble), {}, {}, at::Reduction::Sum);
    into.counts[kLossSum] += surprise.item<double>();
    into.counts[kTargets] += static_cast<double>(truths_BK.numel());
    const at::Tensor truth_BK = truths_BK.gt(0).to(at::kByte).contiguous();
    const at::Tensor likely_BK = at::sigmoid(logits_BK).contiguous();
    const at::Tensor guess_BK = likely_BK.gt(at::tensor(thresholds_, at::kDouble)).to(at::kByte).contiguous();
    for (int64_t i = 0; i < likely_BK.numel(); ++i)
      Reliability::add(likely_BK.const_data_ptr<double>()[i], truth_BK.const_data_ptr<uint8_t>()[i] != 0,
                       std::span(into.counts).subspan(kReliability, Reliability::kCounts));
    const size_t width = names_.size();
    if (has_areas_) add_to_areas(truth_BK, logits_BK.contiguous(), into.rows);
    for (int64_t b = 0; b < batch.size(); ++b)
      LabelSets::add({truth_BK.data_ptr<uint8_t>() + b * num_labels(), width},
                     {guess_BK.data_ptr<uint8_t>() + b * num_labels(), width}, std::span(into.counts).subspan(kCounts));
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    const double targets = total.counts[kTargets];
    nlohmann::ordered_json all{{"loss", mean_of(total.counts[kLossSum], targets)}};
    const nlohmann::ordered_json scores = sets(total).scores();
    for (const auto& [name, value] : scores.items()) all[name] = value;
    if (has_areas_) all.update(Areas(num_labels(), total.rows).scores());
    return all;
  }

  nlohmann::ordered_json details(const Statistics& total) const override {
    nlohmann::ordered_json all = sets(total).details(names_);
    all["calibration"] = Reliability(std::span(total.counts).subspan(kReliability, Reliability::kCounts)).table();
    return all;
  }
  std::string default_metric() const override { return "f1_micro"; }
  bool more_is_better(const std::string& metric) const override { return metric != "loss" && metric != "hamming_loss"; }

  std::vector<std::string> predictions(const at::Tensor& logits, const Batch&) const override {
    const at::Tensor scores_BK = at::sigmoid(logits.to(at::kDouble)).cpu().contiguous();
    const double* score = scores_BK.data_ptr<double>();
    std::vector<std::string> rows;
    for (int64_t b = 0; b < scores_BK.size(0); ++b, score += names_.size()) {
      nlohmann::ordered_json row = {{"labels", nlohmann::ordered_json::array()}};
      for (size_t k = 0; k < names_.size(); ++k) {
        if (score[k] > thresholds_[k]) row["labels"].push_back(names_[k]);
        row["scores"][names_[k]] = score[k];
      }
      rows.push_back(row.dump());
    }
    return rows;
  }

  void describe(nlohmann::json& config) const override {
    describe_as("multi_label_classification", config);
    config.erase("sft_dist_threshold");
    config.erase("sft_dist_thresholds");
    if (std::ranges::count(thresholds_, thresholds_.front()) != num_labels())
      for (size_t k = 0; k < names_.size(); ++k) config["sft_dist_thresholds"][names_[k]] = thresholds_[k];
    else if (thresholds_.front() != 0.5)
      config["sft_dist_threshold"] = thresholds_.front();
  }

  void add_outputs(const at::Tensor& logits, const Batch& batch, std::vector<double>& into) const override {
    const at::Tensor truth_BK = view_of(batch, "labels").gt(0).to(at::kByte).contiguous();
    add_to_areas(truth_BK, logits.to(at::kDouble).cpu().contiguous(), into);
  }
  Deciding* deciding() override { return this; }
  Squash squash() const override { return Squash::sigmoid; }
  StringList thresholded() const override { return names_; }
  std::vector<double> thresholds() const override { return thresholds_; }
  void set_thresholds(const std::vector<double>& thresholds) override { thresholds_ = thresholds; }
  bool has_own_output() const override { return head_.has_own_output(); }
  void divide_logits(double temperature) override { head_.divide_logits(temperature); }

 private:
  int64_t num_labels() const { return static_cast<int64_t>(names_.size()); }
  void add_to_areas(const at::Tensor& truth_BK, const at::Tensor& logits_BK, std::vector<double>& rows) const {
    const size_t width = names_.size();
    for (int64_t b = 0; b < truth_BK.size(0); ++b)
      Areas::add({truth_BK.const_data_ptr<uint8_t>() + b * num_labels(), width},
                 {logits_BK.const_data_ptr<double>() + b * num_labels(), width}, rows);
  }
  LabelSets sets(const Statistics& total) const {
    return {num_labels(), std::span<const double>(total.counts).subspan(kCounts)};
  }

  double smoothing_;
  std::vector<double> thresholds_;  // by label
  bool has_areas_;
  at::Tensor pos_weights_K_;
  LogitAdjustment adjustment_;
};

}  // namespace

std::unique_ptr<LogitsTask> make_multi_label(const TaskSettings& settings, const Model& model) {
  require_accepted(
      settings.loss,
      {.targets = "sets of labels are", .kinds = {"bce"}, .pos_weight = true, .label_smoothing = true, .priors = true});
  if (settings.labels.names.empty()) throw ConfigError("multi-label classification needs a label, and there is none");
  return std::make_unique<MultiLabel>(settings, model);
}

}  // namespace sft
