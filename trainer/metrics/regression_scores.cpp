#include "trainer/metrics/regression_scores.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace sft {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double mean(std::span<const double> x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

bool is_constant(std::span<const double> x) {
  return std::all_of(x.begin(), x.end(), [&](double value) { return value == x.front(); });
}

// Both are brought to length 1 before they meet, as scipy does, so that nothing overflows.
double pearson(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 2 || is_constant(x) || is_constant(y)) return kNan;
  const double mean_x = mean(x), mean_y = mean(y);
  double square_x = 0, square_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    square_x += (x[i] - mean_x) * (x[i] - mean_x);
    square_y += (y[i] - mean_y) * (y[i] - mean_y);
  }
  const double norm_x = std::sqrt(square_x), norm_y = std::sqrt(square_y);
  double r = 0;
  for (size_t i = 0; i < x.size(); ++i) r += (x[i] - mean_x) / norm_x * ((y[i] - mean_y) / norm_y);
  return std::clamp(r, -1.0, 1.0);
}

// From 1; equal values share the mean of their places.
std::vector<double> ranks(std::span<const double> x) {
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return x[a] < x[b]; });
  std::vector<double> out(x.size());
  for (size_t first = 0, end = 0; first < x.size(); first = end) {
    while (end < x.size() && x[order[end]] == x[order[first]]) ++end;
    for (size_t i = first; i < end; ++i) out[order[i]] = (static_cast<double>(first + end) + 1) / 2;
  }
  return out;
}

}  // namespace

RegressionScores regression_scores(std::span<const double> truth, std::span<const double> prediction) {
  assert(truth.size() == prediction.size());
  if (truth.empty()) return {kNan, kNan, kNan, kNan, kNan};
  for (const auto& values : {truth, prediction})  // a diverged model; NaN has no place in an order
    if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }))
      return {kNan, kNan, kNan, kNan, kNan};
  const auto count = static_cast<double>(truth.size());
  const double mean_truth = mean(truth);
  double squares = 0, distances = 0, spread = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const double error = prediction[i] - truth[i], distance = truth[i] - mean_truth;
    squares += error * error;
    distances += std::abs(error);
    spread += distance * distance;
  }
  const bool constant = is_constant(truth);
  const double r2 = truth.size() < 2 ? kNan : constant ? (squares == 0 ? 1.0 : 0.0) : 1.0 - squares / spread;
  return {squares / count, distances / count, r2, pearson(truth, prediction), pearson(ranks(truth), ranks(prediction))};
}

}  // namespace sft
