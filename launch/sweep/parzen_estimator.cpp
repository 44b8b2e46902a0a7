#include "launch/sweep/parzen_estimator.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/random.h"

namespace sft {
namespace {

constexpr size_t kFullWeights = 25;  // trials, the newest, that weigh 1

// P(Z < z) of a standard normal.
double normal_below(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

// 1 a trial; beyond kFullWeights the older ones rise evenly from 1 / n to 1. The prior weighs 1.
std::vector<double> weights_of(size_t tried) {
  std::vector<double> weights(tried + 1, 1.0);
  if (tried > kFullWeights) {
    const size_t ramp = tried - kFullWeights;
    const double first = 1.0 / static_cast<double>(tried);
    for (size_t i = 0; i < ramp; ++i)
      weights[i] = ramp == 1 ? first : first + (1 - first) * static_cast<double>(i) / static_cast<double>(ramp - 1);
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

// The distance to the farther neighbour, at the ends to the only one, within bounds; the prior's is the whole axis.
std::vector<double> widths_of(const SearchAxis& axis, const std::vector<double>& tried) {
  const size_t n = tried.size();
  const double whole = axis.high - axis.low, least = whole / std::min(100.0, 2.0 + static_cast<double>(n));
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return tried[a] < tried[b]; });
  std::vector<double> widths(n + 1, whole);
  for (size_t i = 0; i < n; ++i) {
    const double here = tried[order[i]];
    const double left = here - (i == 0 ? axis.low : tried[order[i - 1]]);
    const double right = (i + 1 == n ? axis.high : tried[order[i + 1]]) - here;
    double width = std::max(left, right);
    if (n > 1 && i == 0) width = right;
    if (n > 1 && i + 1 == n) width = left;
    widths[order[i]] = std::clamp(width, least, whole);
  }
  return widths;
}

// A normal of this mean and width, cut off at the ends of the axis.
double log_truncated(double x, double mean, double width, const SearchAxis& axis) {
  if (width == 0) return 0;  // the axis is a point
  const double z = (x - mean) / width;
  const double mass = normal_below((axis.high - mean) / width) - normal_below((axis.low - mean) / width);
  return -0.5 * z * z - std::log(width * std::sqrt(2 * std::numbers::pi) * mass);
}

double draw_truncated(double uniform, double mean, double width, const SearchAxis& axis) {
  if (width == 0) return axis.low;
  double low = axis.low, high = axis.high;
  const double below = normal_below((low - mean) / width), above = normal_below((high - mean) / width);
  const double wanted = below + uniform * (above - below);
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (normal_below((middle - mean) / width) < wanted ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

// Where the cumulated weights pass `uniform`.
size_t chosen(double uniform, const std::vector<double>& weights) {
  double sum = 0;
  for (size_t i = 0; i + 1 < weights.size(); ++i)
    if (uniform < (sum += weights[i])) return i;
  return weights.size() - 1;
}

}  // namespace

double Draws::next() { return static_cast<double>(derive_key(key_, "draw", count_++) >> 11) * 0x1p-53; }

ParzenEstimator::ParzenEstimator(std::vector<SearchAxis> axes, std::vector<SearchPoint> tried)
    : axes_(std::move(axes)), tried_(std::move(tried)), weights_(weights_of(tried_.size())) {
  for (size_t axis = 0; axis < axes_.size(); ++axis) {
    std::vector<double> coordinates;
    for (const SearchPoint& place : tried_) coordinates.push_back(place[axis]);
    widths_.push_back(axes_[axis].choices > 0 ? std::vector<double>{} : widths_of(axes_[axis], coordinates));
  }
}

double ParzenEstimator::mean(size_t kernel, size_t axis) const {
  return kernel < tried_.size() ? tried_[kernel][axis] : 0.5 * (axes_[axis].low + axes_[axis].high);
}

// Of a choice: the one that was tried has 1 more than the 1 / (number of kernels) that each of them has.
double ParzenEstimator::log_kernel(size_t kernel, size_t axis, double coordinate) const {
  const SearchAxis& here = axes_[axis];
  if (here.choices == 0) return log_truncated(coordinate, mean(kernel, axis), widths_[axis][kernel], here);
  const auto choices = static_cast<double>(here.choices), each = 1.0 / static_cast<double>(num_kernels());
  if (kernel == tried_.size()) return -std::log(choices);
  return std::log((each + (tried_[kernel][axis] == coordinate ? 1 : 0)) / (choices * each + 1));
}

double ParzenEstimator::log_density(const SearchPoint& place) const {
  std::vector<double> terms;
  for (size_t kernel = 0; kernel < num_kernels(); ++kernel) {
    double term = std::log(weights_[kernel]);
    for (size_t axis = 0; axis < axes_.size(); ++axis) term += log_kernel(kernel, axis, place[axis]);
    terms.push_back(term);
  }
  const double largest = *std::ranges::max_element(terms);
  double sum = 0;
  for (const double term : terms) sum += std::exp(term - largest);
  return largest + std::log(sum);
}

SearchPoint ParzenEstimator::draw(Draws& draws) const {
  const size_t kernel = chosen(draws.next(), weights_);
  SearchPoint place;
  for (size_t axis = 0; axis < axes_.size(); ++axis) {
    const double uniform = draws.next();
    if (axes_[axis].choices == 0) {
      place.push_back(draw_truncated(uniform, mean(kernel, axis), widths_[axis][kernel], axes_[axis]));
      continue;
    }
    std::vector<double> shares;
    for (int64_t choice = 0; choice < axes_[axis].choices; ++choice)
      shares.push_back(std::exp(log_kernel(kernel, axis, static_cast<double>(choice))));
    place.push_back(static_cast<double>(chosen(uniform, shares)));
  }
  return place;
}

}  // namespace sft
