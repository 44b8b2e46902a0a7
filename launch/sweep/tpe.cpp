#include "launch/sweep/tpe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace sft {
namespace {

constexpr int kCandidates = 24;
constexpr size_t kMostGood = 25;

// The smallest is the best.
std::tuple<int, int64_t, double> rank_of(const ObservedTrial& trial) {
  const double value = std::isnan(trial.value) ? std::numeric_limits<double>::infinity() : trial.value;
  switch (trial.state) {
    case ObservedTrial::State::finished:
      return {0, 0, value};
    case ObservedTrial::State::pruned:
      return {1, -trial.evaluations, value};
    default:
      return {2, 0, 0};
  }
}

}  // namespace

std::vector<size_t> good_trials(const std::vector<ObservedTrial>& trials) {
  std::vector<size_t> order;
  size_t ended = 0;
  for (size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].state != ObservedTrial::State::running) ++ended;
    if (std::get<0>(rank_of(trials[i])) < 2) order.push_back(i);
  }
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return rank_of(trials[a]) < rank_of(trials[b]); });
  order.resize(std::min({order.size(), (ended + 9) / 10, kMostGood}));
  std::ranges::sort(order);
  return order;
}

SearchPoint propose(const std::vector<SearchAxis>& axes, const std::vector<ObservedTrial>& trials, uint64_t key) {
  const std::vector<size_t> good = good_trials(trials);
  std::vector<SearchPoint> below, above;
  for (size_t i = 0; i < trials.size(); ++i)
    (std::ranges::binary_search(good, i) ? below : above).push_back(trials[i].place);
  const ParzenEstimator likely(axes, std::move(below)), others(axes, std::move(above));
  Draws draws(key);
  SearchPoint best;
  double most = -std::numeric_limits<double>::infinity();
  for (int i = 0; i < kCandidates; ++i) {
    SearchPoint place = likely.draw(draws);
    const double gain = likely.log_density(place) - others.log_density(place);
    if (!best.empty() && gain <= most) continue;
    most = gain;
    best = std::move(place);
  }
  return best;
}

}  // namespace sft
