// B samples, K targets.
#include "trainer/tasks/regression/regression.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/huber_loss.h>
#include <ATen/ops/l1_loss.h>
#include <ATen/ops/mse_loss.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "trainer/metrics/mean.h"
#include "trainer/metrics/regression_scores.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/tasks/blocks/accepted_loss.h"
#include "trainer/tasks/blocks/sequence_task.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

enum class Distance { mse, mae, huber };

// Of a loss that require_accepted() has let pass.
Distance distance_of(const std::string& loss) {
  if (loss == "auto" || loss == "mse") return Distance::mse;
  if (loss == "mae") return Distance::mae;
  return Distance::huber;
}

// Statistics: counts [loss sum, targets]; rows of [id, K truths, K predictions].
constexpr size_t kLossSum = 0, kTargets = 1;

class Regression final : public SequenceTask {
 public:
  Regression(const TaskSettings& settings, const Model& model)
      : SequenceTask(settings, model), distance_(distance_of(settings.loss.kind)), delta_(settings.loss.huber_delta) {}

  Needs needs() const override { return {{.column = values_column(std::ssize(names_))}}; }

  double weight(const Batch& batch) const override {
    const double samples = std::accumulate(batch.weights.begin(), batch.weights.end(), 0.0);
    return samples * static_cast<double>(names_.size());
  }

  at::Tensor loss_of(const at::Tensor& logits, const Batch& batch) const override {
    const at::Tensor rows = sent(batch.weights, logits.options()).unsqueeze(1);
    return (rows * distances(logits, sent(view_of(batch, "values"), logits.options()))).sum();
  }

  Statistics empty_statistics() const override { return {std::vector<double>(2), {}}; }

  void accumulate(const at::Tensor& logits, const Batch& batch, Statistics& into) const override {
    const at::Tensor guess_BK = logits.to(at::kDouble).cpu().contiguous();
    const at::Tensor truth_BK = view_of(batch, "values").to(at::kDouble).contiguous();
    into.counts[kLossSum] += distances(guess_BK, truth_BK).sum().item<double>();
    into.counts[kTargets] += static_cast<double>(truth_BK.numel());
    const double *truth = truth_BK.data_ptr<double>(), *guess = guess_BK.data_ptr<double>();
    for (size_t b = 0; b < batch.ids.size(); ++b, truth += names_.size(), guess += names_.size()) {
      into.rows.push_back(static_cast<double>(batch.ids[b]));
      into.rows.insert(into.rows.end(), truth, truth + names_.size());
      into.rows.insert(into.rows.end(), guess, guess + names_.size());
    }
  }

  // Of several targets, the means of their scores.
  nlohmann::ordered_json metrics(const Statistics& total) const override {
    const double targets = total.counts[kTargets];
    RegressionScores mean{};
    for (const RegressionScores& scores : scores_of(total)) {
      const auto share = static_cast<double>(names_.size());
      mean.mse += scores.mse / share;
      mean.mae += scores.mae / share;
      mean.r2 += scores.r2 / share;
      mean.pearson += scores.pearson / share;
      mean.spearman += scores.spearman / share;
    }
    if (targets > 0 && std::isnan(mean.pearson) && !std::isnan(mean.mse))
      log::warn_once("evaluation: targets or predictions are constant, so they have no correlation (null)");
    return {{"loss", mean_of(total.counts[kLossSum], targets)},
            {"mse", mean.mse},
            {"mae", mean.mae},
            {"r2", mean.r2},
            {"pearson", mean.pearson},
            {"spearman", mean.spearman}};
  }

  nlohmann::ordered_json details(const Statistics& total) const override {
    auto per_target = nlohmann::ordered_json::object();
    const std::vector<RegressionScores> all = scores_of(total);
    for (size_t k = 0; k < names_.size(); ++k)
      per_target[names_[k]] = {{"mse", all[k].mse},
                               {"mae", all[k].mae},
                               {"r2", all[k].r2},
                               {"pearson", all[k].pearson},
                               {"spearman", all[k].spearman}};
    return {{"per_target", std::move(per_target)}};
  }
  std::string default_metric() const override { return "loss"; }
  bool more_is_better(const std::string& metric) const override {
    return metric != "loss" && metric != "mse" && metric != "mae";
  }

  std::vector<std::string> predictions(const at::Tensor& logits, const Batch&) const override {
    const at::Tensor values_BK = logits.to(at::kDouble).cpu().contiguous();
    const double* values = values_BK.data_ptr<double>();
    std::vector<std::string> rows;
    for (int64_t b = 0; b < values_BK.size(0); ++b, values += names_.size()) {
      nlohmann::ordered_json row;
      if (names_.size() == 1) row["value"] = *values;
      if (names_.size() != 1) row["value"] = std::vector<double>(values, values + names_.size());
      rows.push_back(row.dump());
    }
    return rows;
  }

  void describe(nlohmann::json& config) const override { describe_as("regression", config); }

 private:
  at::Tensor distances(const at::Tensor& guess_BK, const at::Tensor& truth_BK) const {
    switch (distance_) {
      case Distance::mse:
        return at::mse_loss(guess_BK, truth_BK, at::Reduction::None);
      case Distance::mae:
        return at::l1_loss(guess_BK, truth_BK, at::Reduction::None);
      case Distance::huber:
        break;
    }
    return at::huber_loss(guess_BK, truth_BK, at::Reduction::None, delta_);
  }

  // In the order of the dataset, so that sums do not depend on who evaluated which row.
  std::vector<RegressionScores> scores_of(const Statistics& total) const {
    const size_t num_targets = names_.size(), width = 1 + 2 * num_targets, count = total.rows.size() / width;
    std::vector<size_t> order(count);
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return total.rows[a * width] < total.rows[b * width]; });
    std::vector<RegressionScores> all;
    std::vector<double> truth(count), guess(count);
    for (size_t k = 0; k < num_targets; ++k) {
      for (size_t i = 0; i < count; ++i) {
        truth[i] = total.rows[order[i] * width + 1 + k];
        guess[i] = total.rows[order[i] * width + 1 + num_targets + k];
      }
      all.push_back(regression_scores(truth, guess));
    }
    return all;
  }

  Distance distance_;
  double delta_;
};

}  // namespace

std::unique_ptr<LogitsTask> make_regression(const TaskSettings& settings, const Model& model) {
  require_accepted(settings.loss, {.targets = "numbers are", .kinds = {"mse", "mae", "huber"}});
  return std::make_unique<Regression>(settings, model);
}

}  // namespace sft
