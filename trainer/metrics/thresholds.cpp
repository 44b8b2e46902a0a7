#include "trainer/metrics/thresholds.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace sft {
namespace {

// Of `given` samples that are given the label, `hits` rightly.
double value_of(const std::string& score, double hits, double given, double trues, double falses) {
  if (score == "f1") return 2 * hits / (given + trues);
  assert(score == "balanced_accuracy");
  return (hits / trues + (falses - (given - hits)) / falses) / 2;
}

}  // namespace

std::optional<double> best_threshold(const std::string& score, std::vector<ScoredSample> samples) {
  const auto trues = static_cast<double>(std::ranges::count_if(samples, &ScoredSample::is_true));
  const double falses = static_cast<double>(samples.size()) - trues;
  if (trues == 0 || falses == 0) return {};
  std::ranges::sort(samples, std::greater(), &ScoredSample::probability);
  std::optional<double> best;
  double best_value = -1, hits = 0;
  for (size_t i = 0; i < samples.size();) {
    const double last = samples[i].probability;
    for (; i < samples.size() && samples[i].probability == last; ++i) hits += samples[i].is_true;
    const double next = i < samples.size() ? samples[i].probability : 0;
    const double threshold = next + (last - next) / 2;
    if (!(threshold < last)) continue;  // no number lies between them
    const double value = value_of(score, hits, static_cast<double>(i), trues, falses);
    const bool is_nearer = best && std::abs(threshold - 0.5) < std::abs(*best - 0.5);
    if (value > best_value || (value == best_value && is_nearer)) {
      best_value = value;
      best = threshold;
    }
  }
  return best;
}

}  // namespace sft
