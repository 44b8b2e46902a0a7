#include "trainer/tasks/blocks/plugin_rows.h"

#include <vector>

#include "trainer/models/inputs.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

bool is_of_samples(const Column& target) { return target.axis.empty(); }

// By sample, or by token; kNoTarget among them. None of targets that are numbers.
std::vector<int64_t> labels_of(const Batch& batch, const Column& target) {
  if (target.number == Number::float32) return {};
  const at::Tensor labels = view_of(batch, target.name).to(at::kLong).contiguous();
  return {labels.const_data_ptr<int64_t>(), labels.const_data_ptr<int64_t>() + labels.numel()};
}

// [B, K]; undefined where there is a label alone.
at::Tensor values_of(const Batch& batch, const Column& target) {
  const std::string distribution = distribution_column(0).name;
  const bool is_soft = is_of_samples(target) && batch.schema.find(distribution) != nullptr;
  if (target.number != Number::float32 && !is_soft) return {};
  return view_of(batch, is_soft ? distribution : target.name).to(at::kDouble).contiguous();
}

// Which sample each row of logits is of.
std::vector<size_t> samples_of_rows(const Batch& batch, const Column& target) {
  std::vector<size_t> samples;
  for (size_t b = 0; b < batch.weights.size(); ++b)
    samples.resize(is_of_samples(target) ? b + 1 : static_cast<size_t>(batch.offsets(target.axis)[b + 1]), b);
  return samples;
}

}  // namespace

std::optional<RowTargets> row_targets_of(const Column& target) {
  for (const auto& [known, targets] : {std::pair{label_column(0), RowTargets::label},
                                       {token_labels_column(0), RowTargets::label},
                                       {label_set_column(0), RowTargets::label_set},
                                       {values_column(0), RowTargets::numbers}})
    if (target == known) return targets;
  return {};
}

void for_each_row(const at::Tensor& logits, const Batch& batch, const Column& target, const VisitRow& visit) {
  const std::vector<int64_t> labels = labels_of(batch, target);
  const at::Tensor values = values_of(batch, target);
  const std::vector<size_t> samples = samples_of_rows(batch, target);
  const int64_t width = logits.size(1);
  for (int64_t i = 0; i < logits.size(0); ++i) {
    const auto place = static_cast<size_t>(i);
    const int64_t label = labels.empty() ? -1 : labels[place];
    if (!labels.empty() && label < 0) continue;
    const double* const targets = values.defined() ? values.const_data_ptr<double>() + i * width : nullptr;
    visit({width, logits.const_data_ptr<double>() + i * width, label, targets}, i, batch.weights[samples[place]]);
  }
}

double weight_of_rows(const Batch& batch, const Column& target) {
  const std::vector<int64_t> labels = labels_of(batch, target);
  const std::vector<size_t> samples = samples_of_rows(batch, target);
  double sum = 0;
  for (size_t i = 0; i < samples.size(); ++i)
    if (labels.empty() || labels[i] >= 0) sum += batch.weights[samples[i]];
  return sum;
}

}  // namespace sft
