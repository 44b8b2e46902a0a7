#include "trainer/loop/share_weights.h"

#include <cmath>
#include <cstdlib>
#include <span>

#include "base/tree_sum.h"

namespace sft {
namespace {

// The power of two that the mean weight of a row lies at; 0 where that is near enough to 1 for single precision.
int scale_of(double weight, int64_t samples) {
  constexpr int kNear = 32;
  if (!(weight > 0) || samples == 0) return 0;
  const int exponent = std::ilogb(weight / static_cast<double>(samples));
  return std::abs(exponent) < kNear ? 0 : exponent;
}

// Exact but for weights that are nothing beside the others.
void scale_weights(Share& share, int exponent) {
  if (exponent == 0) return;
  for (Part& part : share.parts)
    for (Batch& batch : part)
      for (float& weight : batch.weights) weight = std::ldexp(weight, exponent);
}

}  // namespace

Totals totals_of(const Task& task, const Share& share, Communicator& control) {
  int64_t tokens = 0;
  std::vector<std::vector<double>> terms(task.num_terms());
  for (const Part& part : share.parts) {
    for (std::vector<double>& term : terms) term.push_back(0);
    for (const Batch& batch : part) {
      tokens += batch.num_units();
      const Weights weights = task.weights(batch);
      for (size_t t = 0; t < terms.size(); ++t) terms[t].back() += weights[t];
    }
  }
  Totals total;
  for (const std::vector<double>& term : terms) total.weights.push_back(tree_sum<double>(term));
  total.weights.push_back(static_cast<double>(tokens));
  control.all_reduce(Buffer::of(std::span<double>(total.weights)));
  total.tokens = static_cast<int64_t>(total.weights.back());
  total.weights.pop_back();
  return total;
}

int scale_to_one(Share& share, Weights& total) {
  const int scale = scale_of(total.front(), share.global_samples);
  scale_weights(share, -scale);
  for (double& term : total) term = term > 0 ? std::ldexp(term, -scale) : 1;
  return scale;
}

const Batch* last_batch(const Share& share) {
  const Batch* last = nullptr;
  for (const Part& part : share.parts)
    if (!part.empty()) last = &part.back();
  return last;
}

int64_t num_batches(const Share& share) {
  int64_t batches = 0;
  for (const Part& part : share.parts) batches += std::ssize(part);
  return batches;
}

int64_t num_samples(const Share& share) {
  int64_t samples = 0;
  for (const Part& part : share.parts)
    for (const Batch& batch : part) samples += batch.size();
  return samples;
}

std::vector<int64_t> ids_of(const Share& share) {
  std::vector<int64_t> ids;
  for (const Part& part : share.parts)
    for (const Batch& batch : part) ids.insert(ids.end(), batch.ids.begin(), batch.ids.end());
  return ids;
}

}  // namespace sft
