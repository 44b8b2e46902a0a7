#include "trainer/tasks/blocks/logit_adjustment.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

using Of = LogitAdjustment::Of;

std::vector<double> named_priors(const LossConfig& loss, const StringList& names) {
  for (const auto& [name, prior] : loss.label_priors.numbers)
    if (std::ranges::find(names, name) == names.end())
      throw ConfigError(concat("train.label_priors: ", in_quotes(name), " is no label", did_you_mean(name, names)));
  std::vector<double> priors;
  for (const std::string& name : names) {
    const auto found = loss.label_priors.numbers.find(name);
    if (found == loss.label_priors.numbers.end())
      throw ConfigError(concat("train.label_priors names no share of the label ", in_quotes(name),
                               "; wanted one for each of the ", names.size(), " labels"));
    priors.push_back(found->second);
  }
  return priors;
}

std::vector<double> counted_priors(const Labels& labels, Of targets) {
  assert(labels.counts.size() == labels.names.size());
  const auto& counts = labels.counts;
  const int64_t rows =
      targets == Of::sets ? labels.num_rows : std::accumulate(counts.begin(), counts.end(), int64_t{0});
  std::vector<double> priors;
  for (const int64_t count : counts)
    priors.push_back(rows > 0 ? static_cast<double>(count) / static_cast<double>(rows) : 0);
  return priors;
}

}  // namespace

std::vector<double> label_priors(const LossConfig& loss, const Labels& labels, Of targets) {
  const bool are_counted = loss.label_priors.word == "counted";
  std::vector<double> priors = are_counted ? counted_priors(labels, targets) : named_priors(loss, labels.names);
  for (size_t k = 0; k < priors.size(); ++k) {
    const bool is_too_large = targets == Of::sets ? priors[k] >= 1 : priors[k] > 1;
    if (priors[k] > 0 && !is_too_large) continue;
    throw ConfigError(concat("train.logit_adjustment: the share of the label ", in_quotes(labels.names[k]), " is ",
                             priors[k], are_counted ? " in the training rows" : " in train.label_priors",
                             ", which has no finite logarithm; wanted shares above 0 and below 1, as "
                             "train.label_priors = { name = share } gives them"));
  }
  if (targets == Of::sets) return priors;
  const double sum = std::accumulate(priors.begin(), priors.end(), 0.0);
  if (std::abs(sum - 1) > 1e-2)
    throw ConfigError(concat("train.label_priors: the shares sum to ", sum, "; of one label a row they sum to 1"));
  return priors;
}

LogitAdjustment::LogitAdjustment(const TaskSettings& settings, Of targets, const at::Tensor& bias_K) {
  const LossConfig& loss = settings.loss;
  if (loss.logit_adjustment == 0) return;
  std::vector<double> offsets = label_priors(loss, settings.labels, targets);
  for (double& prior : offsets)
    prior = loss.logit_adjustment * (targets == Of::sets ? std::log(prior) - std::log1p(-prior) : std::log(prior));
  const at::Tensor offsets_K = at::tensor(offsets, at::kDouble).to(settings.device, settings.dtype);
  if (loss.logit_adjustment_at == "loss") {
    in_loss_K_ = offsets_K;
    return;
  }
  if (!bias_K.defined())
    throw ConfigError(
        "train.logit_adjustment_at = \"export\": the output layer of this model has no bias that label priors could be "
        "taken from; leave it at \"loss\"");
  at_export_K_ = offsets_K;
  bias_K_ = bias_K;
}

at::Tensor LogitAdjustment::in_loss(const at::Tensor& logits_BK) const {
  return in_loss_K_.defined() ? logits_BK + in_loss_K_ : logits_BK;
}

void LogitAdjustment::take_from_bias() const {
  if (!at_export_K_.defined()) return;
  const at::NoGradGuard no_graph;
  bias_K_.detach().sub_(at_export_K_);
}

}  // namespace sft
