#include "trainer/tasks/blocks/label_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/models/inputs.h"
#include "trainer/tasks/blocks/class_weights.h"
#include "trainer/tasks/blocks/cross_entropy.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

at::Tensor moved(const Batch& batch, const std::string& column, const at::Tensor& logits) {
  return sent(view_of(batch, column), logits.options());
}

void require_teacher(const LossConfig& loss, const Labels& labels) {
  const Column wanted = teacher_logits_column(std::ssize(labels.names));
  if (loss.distill_weight == 0 || labels.samples.columns.empty() || labels.samples.find(wanted.name) != nullptr) return;
  throw DataError(concat("train.distill_weight is ", loss.distill_weight, ", and the training samples have no column ",
                         describe(wanted),
                         "; set data.teacher_column to the column of the training rows that holds "
                         "the teacher's logits, one a label"));
}

}  // namespace

bool has_distributions(const Schema& schema) { return schema.find(distribution_column(0).name) != nullptr; }

LabelLoss::LabelLoss(const TaskSettings& settings, const at::Tensor& bias_K)
    : num_labels_(std::ssize(settings.labels.names)),
      smoothing_(settings.loss.label_smoothing_factor),
      focal_gamma_(settings.loss.kind == "focal" ? settings.loss.focal_gamma : 0),
      robust_(robust_loss(settings.loss)),
      distill_weight_(settings.loss.distill_weight),
      temperature_(settings.loss.distill_temperature),
      learns_distributions_(has_distributions(settings.labels.samples)),
      class_weights_(class_weights(settings.loss.class_weights, settings.labels.names, settings.labels.counts)),
      class_weights_K_(at::tensor(class_weights_, at::kDouble).to(settings.device, settings.dtype)),
      adjustment_(settings, LogitAdjustment::Of::one_label, bias_K) {
  require_teacher(settings.loss, settings.labels);
  if (robust_ && learns_distributions_)
    throw ConfigError(concat("train.loss = ", in_quotes(settings.loss.kind),
                             ": it is of one label a row, and rows of the training data have a probability for each "
                             "label, which is learned by cross_entropy or focal"));
}

Needs LabelLoss::needs() const {
  return {{.column = label_column(num_labels_)},
          {.column = distribution_column(num_labels_), .if_there = true},
          {.column = teacher_logits_column(num_labels_), .if_there = true}};
}

double LabelLoss::weight(const Batch& batch) const {
  const std::span<const int64_t> labels = batch.at("labels").as<int64_t>();
  if (!has_distributions(batch.schema)) return cross_entropy_weight(labels, batch.weights, class_weights_);
  return cross_entropy_weight(labels, batch.weights, std::vector<double>(class_weights_.size(), 1.0));
}

at::Tensor LabelLoss::labels_sum(const at::Tensor& logits_BK, const at::Tensor& labels_B, const at::Tensor& weights_B,
                                 const Batch& batch) const {
  const at::Tensor adjusted_BK = adjustment_.in_loss(logits_BK);
  if (robust_) return robust_sum(adjusted_BK, labels_B, class_weights_K_, weights_B, robust_);
  if (!has_distributions(batch.schema))
    return cross_entropy_sum(adjusted_BK, labels_B, class_weights_K_, weights_B, smoothing_, focal_gamma_);
  const at::Tensor real_B = weights_B * labels_B.ge(0).to(weights_B.scalar_type());
  return soft_cross_entropy_sum(adjusted_BK, moved(batch, distribution_column(0).name, logits_BK), class_weights_K_,
                                real_B, smoothing_, focal_gamma_);
}

at::Tensor LabelLoss::sum(const at::Tensor& logits_BK, const Batch& batch) const {
  const at::Tensor labels_B = sent(view_of(batch, "labels"), logits_BK.options().dtype(at::kLong));
  const at::Tensor weights_B = sent(batch.weights, logits_BK.options());
  const at::Tensor of_labels = labels_sum(logits_BK, labels_B, weights_B, batch);
  if (distill_weight_ == 0) return of_labels;
  at::Tensor rows_B = weights_B * labels_B.ge(0).to(weights_B.scalar_type());
  if (!has_distributions(batch.schema)) rows_B = rows_B * class_weights_K_.index_select(0, labels_B.clamp_min(0));
  const at::Tensor of_teacher =
      distillation_sum(logits_BK, moved(batch, teacher_logits_column(0).name, logits_BK), rows_B, temperature_);
  return (1 - distill_weight_) * of_labels + distill_weight_ * of_teacher;
}

}  // namespace sft
