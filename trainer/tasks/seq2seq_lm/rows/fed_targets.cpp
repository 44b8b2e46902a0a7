#include "trainer/tasks/seq2seq_lm/rows/fed_targets.h"

#include <span>

#include "trainer/tasks/seq2seq_lm/rows/columns.h"

namespace sft::seq2seq {

FedTargets fed_targets(const Batch& batch, int32_t start_id) {
  const std::span<const int32_t> tokens = batch.at(kTargetTokens).as<int32_t>();
  const Offsets& ends = batch.offsets(kTargetAxis);
  FedTargets out;
  out.targets.assign(tokens.begin(), tokens.end());
  for (size_t b = 0; b + 1 < ends.size(); ++b) {
    int32_t before = start_id;
    for (auto row = static_cast<size_t>(ends[b]); row < static_cast<size_t>(ends[b + 1]); ++row) {
      out.fed.push_back(before);
      out.weights.push_back(batch.weights[b]);
      before = tokens[row];
    }
  }
  return out;
}

double target_weight(const Batch& batch) {
  const Offsets& ends = batch.offsets(kTargetAxis);
  double sum = 0;
  for (size_t b = 0; b + 1 < ends.size(); ++b)
    sum += static_cast<double>(batch.weights[b]) * static_cast<double>(ends[b + 1] - ends[b]);
  return sum;
}

}  // namespace sft::seq2seq
