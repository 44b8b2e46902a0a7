#include "trainer/range_test/rate_curve.h"

#include <algorithm>
#include <cmath>

namespace sft {
namespace {

constexpr double kMemory = 0.9;      // of the running mean, a step
constexpr double kDivergence = 4.0;  // times the lowest mean, as fastai has it

}  // namespace

void RateCurve::add(double rate, double loss) {
  is_finite_ = std::isfinite(loss);
  if (!is_finite_) return;
  mean_ = kMemory * mean_ + (1 - kMemory) * loss;
  share_ *= kMemory;
  const double smoothed = mean_ / (1 - share_);
  best_ = points_.empty() ? smoothed : std::min(best_, smoothed);
  points_.push_back({rate, loss, smoothed});
}

bool RateCurve::diverged() const {
  return !is_finite_ || (!points_.empty() && points_.back().smoothed > kDivergence * best_);
}

size_t RateCurve::lowest() const {
  const auto less = [](const Point& a, const Point& b) { return a.smoothed < b.smoothed; };
  return static_cast<size_t>(std::min_element(points_.begin(), points_.end(), less) - points_.begin());
}

std::optional<double> RateCurve::steepest() const {
  std::optional<double> rate;
  double least = 0;
  for (size_t i = std::max<size_t>(points_.size() / 10, 1); i < points_.size() && i <= lowest(); ++i) {
    const size_t next = std::min(i + 1, points_.size() - 1);  // a difference around the point; at the end behind it
    const Point &a = points_[i - 1], &b = points_[next];
    const double slope = (b.smoothed - a.smoothed) / std::log(b.rate / a.rate);
    if (slope < least) least = slope, rate = points_[i].rate;
  }
  return rate;
}

std::optional<double> RateCurve::tenth_of_minimum() const {
  if (points_.empty()) return {};
  return points_[lowest()].rate / 10;
}

}  // namespace sft
