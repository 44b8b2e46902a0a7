// Sums of metrics stand behind the counts of the task itself, each metric's in its order, so they are added up as those
// are. A plugin's loss and its gradient come as numbers: Σ g·x − (its value) + loss has the value of the loss and the
// gradient g, whatever the loss is.
#include "trainer/tasks/blocks/plugin_task.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/metrics/mean.h"
#include "trainer/tasks/blocks/finite_outputs.h"
#include "trainer/tasks/blocks/plugin_rows.h"

namespace sft {
namespace {

at::Tensor in_host(const at::Tensor& logits) { return logits.detach().to(at::kDouble).cpu().contiguous(); }

class PluginTask final : public LogitsTask {
 public:
  PluginTask(std::unique_ptr<Task> task, Column target, int64_t num_outputs, std::shared_ptr<const Plugins> plugins,
             const PluginLoss* loss)
      : task_(std::move(task)),
        inner_(dynamic_cast<LogitsTask&>(*task_)),
        target_(std::move(target)),
        num_outputs_(num_outputs),
        plugins_(std::move(plugins)),
        loss_(loss) {
    for (const PluginMetric& metric : plugins_->metrics()) {
      const int64_t sums =
          called(metric, [&](const plugin::Metric& code) { return code.num_sums(num_outputs_); });
      if (sums < 0 || sums > kMostSums) fail_of_plugin(metric.file, metric.name, concat("it wants ", sums, " sums"));
      num_sums_.push_back(static_cast<size_t>(sums));
    }
    require_free_names();
  }

  Needs needs() const override { return inner_.needs(); }
  Reads reads() const override { return inner_.reads(); }
  bool reads_pooler() const override { return inner_.reads_pooler(); }
  bool keeps_pooler() const override { return inner_.keeps_pooler(); }
  Parameters parameters() const override { return inner_.parameters(); }
  bool has_logits_of_samples() const override { return inner_.has_logits_of_samples(); }
  at::Tensor logits(Model& model, const at::Tensor& features, const Inputs& inputs, Mode mode) override {
    return inner_.logits(model, features, inputs, mode);
  }
  at::Tensor labels_given(const at::Tensor& logits) const override { return inner_.labels_given(logits); }
  void conclude() override { inner_.conclude(); }
  double flops(int64_t rows) const override { return inner_.flops(rows); }
  Deciding* deciding() override { return inner_.deciding(); }
  void describe(nlohmann::json& config) const override { inner_.describe(config); }
  std::vector<std::string> predictions(const at::Tensor& logits, const Batch& batch) const override {
    return inner_.predictions(logits, batch);
  }
  std::string prediction_of_row(const std::vector<std::string>& samples) const override {
    return inner_.prediction_of_row(samples);
  }
  void add_outputs(const at::Tensor& logits, const Batch& batch, std::vector<double>& into) const override {
    inner_.add_outputs(logits, batch, into);
  }
  std::string default_metric() const override { return inner_.default_metric(); }
  nlohmann::ordered_json details(const Statistics& total) const override { return inner_.details(of_task(total)); }

  double weight(const Batch& batch) const override {
    return loss_ == nullptr ? inner_.weight(batch) : weight_of_rows(batch, target_);
  }

  at::Tensor loss_of(const at::Tensor& logits, const Batch& batch) const override {
    if (loss_ == nullptr) return inner_.loss_of(logits, batch);
    const at::Tensor values = in_host(logits);
    at::Tensor gradient = at::zeros_like(values);
    double sum = 0;
    try {
      for_each_row(values, batch, target_, [&](const plugin::Row& row, int64_t place, double weight) {
        double* const own = gradient.mutable_data_ptr<double>() + place * num_outputs_;
        sum += weight * called(*loss_, [&](const plugin::Loss& code) { return code.value(row, own); });
        for (double& each : std::span(own, static_cast<size_t>(num_outputs_))) each *= weight;
      });
    } catch (const Error& error) {  // other ranks go on to the next sum over all: rethrow_failure() tells them
      if (failure_.empty()) failure_ = error.what();
    }
    const at::Tensor linear = (logits.to(at::kDouble) * gradient.to(logits.device())).sum();
    return linear - linear.detach() + sum;
  }

  bool may_fail_alone() const override { return loss_ != nullptr; }
  void rethrow_failure() override {
    if (!failure_.empty()) throw ConfigError(std::exchange(failure_, ""));
  }

  Statistics empty_statistics() const override {
    Statistics statistics = inner_.empty_statistics();
    statistics.counts.resize(statistics.counts.size() + num_own());
    return statistics;
  }

  void accumulate(const at::Tensor& logits, const Batch& batch, Statistics& into) const override {
    std::vector<double> own(into.counts.end() - static_cast<std::ptrdiff_t>(num_own()), into.counts.end());
    into.counts.resize(into.counts.size() - num_own());
    inner_.accumulate(logits, batch, into);
    const at::Tensor values = in_host(logits);
    for_each_row(values, batch, target_, [&](const plugin::Row& row, int64_t, double) { add(row, own); });
    if (are_finite(values)) require_finite(own);  // else the model is at fault, and the evaluation tells it
    into.counts.insert(into.counts.end(), own.begin(), own.end());
  }

  nlohmann::ordered_json metrics(const Statistics& total) const override {
    nlohmann::ordered_json all = inner_.metrics(of_task(total));
    const double* sums = total.counts.data() + total.counts.size() - num_own();
    if (loss_ != nullptr) {
      all[loss_->name] = mean_of(sums[0], sums[1]);
      sums += 2;
    }
    for (size_t i = 0; i < num_sums_.size(); sums += num_sums_[i++]) {
      const PluginMetric& metric = plugins_->metrics()[i];
      all[metric.name] = called(metric, [&](const plugin::Metric& code) { return code.value(sums, num_outputs_); });
    }
    return all;
  }

  bool more_is_better(const std::string& name) const override {
    if (loss_ != nullptr && name == loss_->name) return false;
    for (const PluginMetric& metric : plugins_->metrics())
      if (metric.name == name) return called(metric, [](const plugin::Metric& code) { return code.more_is_better(); });
    return inner_.more_is_better(name);
  }

 private:
  static constexpr int64_t kMostSums = int64_t{1} << 24;

  // Sums of the plugins: of the loss two, its sum and the rows, then those of each metric.
  size_t num_own() const {
    size_t count = loss_ != nullptr ? 2 : 0;
    for (const size_t sums : num_sums_) count += sums;
    return count;
  }

  Statistics of_task(Statistics total) const {
    total.counts.resize(total.counts.size() - num_own());
    return total;
  }

  void require_free_names() const {
    const nlohmann::ordered_json taken = inner_.metrics(inner_.empty_statistics());
    const auto require_free = [&](const std::string& file, const std::string& name) {
      if (taken.contains(name) || name == "runtime" || name == "samples_per_second")
        fail_of_plugin(file, name, "the task has a metric of that name; give it another");
    };
    if (loss_ != nullptr) require_free(loss_->file, loss_->name);
    for (const PluginMetric& metric : plugins_->metrics()) require_free(metric.file, metric.name);
  }

  void require_finite(const std::vector<double>& own) const {
    const double* sums = own.data();
    const auto require = [&](const std::string& file, const std::string& name, size_t count) {
      if (!std::all_of(sums, sums + count, [](double sum) { return std::isfinite(sum); }))
        fail_of_plugin(file, name, "its sums are not finite, and the logits of the rows are");
      sums += count;
    };
    if (loss_ != nullptr) require(loss_->file, loss_->name, 2);
    for (size_t i = 0; i < num_sums_.size(); ++i)
      require(plugins_->metrics()[i].file, plugins_->metrics()[i].name, num_sums_[i]);
  }

  void add(const plugin::Row& row, std::vector<double>& own) const {
    double* sums = own.data();
    if (loss_ != nullptr) {
      std::vector<double> gradient(static_cast<size_t>(num_outputs_));
      sums[0] += called(*loss_, [&](const plugin::Loss& code) { return code.value(row, gradient.data()); });
      sums[1] += 1;
      sums += 2;
    }
    for (size_t i = 0; i < num_sums_.size(); sums += num_sums_[i++])
      called(plugins_->metrics()[i], [&](const plugin::Metric& code) { code.add(row, sums); });
  }

  std::unique_ptr<Task> task_;
  LogitsTask& inner_;
  Column target_;
  int64_t num_outputs_;
  std::shared_ptr<const Plugins> plugins_;
  const PluginLoss* loss_;        // of the plugins; null: the task's own is learned by
  std::vector<size_t> num_sums_;  // of each metric
  mutable std::string failure_;   // of the loss, on this rank
};

}  // namespace

std::unique_ptr<Task> with_plugins(std::unique_ptr<Task> task, const Column& target, int64_t num_outputs,
                                   std::shared_ptr<const Plugins> plugins, const PluginLoss* loss) {
  const std::optional<RowTargets> targets = row_targets_of(target);
  if (!targets)
    throw ConfigError(
        "plugins see labels of rows or words, sets of labels, and numbers to predict; this task learns something else");
  if (loss != nullptr) require_sound(*loss, *targets, num_outputs);
  return std::make_unique<PluginTask>(std::move(task), target, num_outputs, std::move(plugins), loss);
}

}  // namespace sft
