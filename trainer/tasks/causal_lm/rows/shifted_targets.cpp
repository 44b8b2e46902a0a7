#include "trainer/tasks/causal_lm/rows/shifted_targets.h"

#include <algorithm>
#include <cassert>
#include <span>

#include "trainer/tasks/causal_lm/rows/columns.h"

namespace sft::causal {
namespace {

// Calls visit(b, row of the first target, row behind the last) for each span of sample b that has a target.
template <class Visit>
void for_each_span(const Batch& batch, const Visit& visit) {
  const std::span<const int32_t> spans = batch.at(kSpans).as<int32_t>();
  const Offsets& tokens = batch.offsets("token");
  const Offsets& of_samples = batch.offsets(kSpanAxis);
  for (int64_t b = 0; b < batch.size(); ++b) {
    const auto sample = static_cast<size_t>(b);
    for (int64_t s = of_samples[sample]; s < of_samples[sample + 1]; ++s) {
      const int64_t begin = std::max<int64_t>(spans[static_cast<size_t>(2 * s)], 1);
      const int64_t end = spans[static_cast<size_t>(2 * s + 1)];
      assert(end <= tokens[sample + 1] - tokens[sample]);
      if (begin < end) visit(sample, tokens[sample] + begin - 1, tokens[sample] + end - 1);
    }
  }
}

}  // namespace

ShiftedTargets shifted_targets(const Batch& batch) {
  const std::span<const int32_t> tokens = batch.at(kTokens).as<int32_t>();
  ShiftedTargets out;
  for_each_span(batch, [&](size_t sample, int64_t first, int64_t end) {
    for (int64_t row = first; row < end; ++row) {
      out.rows.push_back(row);
      out.targets.push_back(tokens[static_cast<size_t>(row + 1)]);
      out.weights.push_back(batch.weights[sample]);
    }
  });
  return out;
}

double target_weight(const Batch& batch) {
  double sum = 0;
  for_each_span(batch, [&](size_t sample, int64_t first, int64_t end) {
    sum += static_cast<double>(batch.weights[sample]) * static_cast<double>(end - first);
  });
  return sum;
}

}  // namespace sft::causal
