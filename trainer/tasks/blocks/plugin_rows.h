// The rows of a batch that have a target, as plugins see them (trainer/plugins/include/sft-dist/plugin.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "data/samples/batch.h"
#include "trainer/plugins/loss_check.h"

namespace sft {

// What rows of a task with this column of targets are to come to; none: plugins don't see such targets.
std::optional<RowTargets> row_targets_of(const Column& target);

// Calls visit(row, place of it among the rows of logits, weight of its sample) in order; rows without a label are left
// out. `logits`: float64 in host memory, [rows, outputs]; `target`: one that row_targets_of() knows.
using VisitRow = std::function<void(const plugin::Row& row, int64_t place, double weight)>;
void for_each_row(const at::Tensor& logits, const Batch& batch, const Column& target, const VisitRow& visit);

// The sum of those weights.
double weight_of_rows(const Batch& batch, const Column& target);

}  // namespace sft
