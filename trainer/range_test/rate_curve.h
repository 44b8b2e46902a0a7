// What a learning-rate range test has seen (Smith, "Cyclical learning rates for training neural networks", 2017,
// section 3.3), and the rates that it suggests.
#pragma once

#include <optional>
#include <vector>

namespace sft {

class RateCurve {
 public:
  struct Point {
    double rate = 0;
    double loss = 0;      // of the update's batch, before the update
    double smoothed = 0;  // its running mean, corrected for the start as Adam's moments are
  };

  // The losses of updates with growing rates, one after the other. A loss that is not finite is the last.
  void add(double rate, double loss);

  // The last loss is not finite, or its mean above four times the lowest.
  bool diverged() const;

  const std::vector<Point>& points() const { return points_; }  // finite ones alone

  // Where the smoothed loss falls fastest over the logarithm of the rate. The first tenth of the test, in which the
  // mean is one of few losses, and what lies behind the lowest point are left out. Nothing where it never falls.
  std::optional<double> steepest() const;

  // A tenth of the rate at the lowest smoothed loss.
  std::optional<double> tenth_of_minimum() const;

 private:
  size_t lowest() const;  // the index of the lowest smoothed loss

  std::vector<Point> points_;
  double mean_ = 0, share_ = 1;  // of the running mean: its sum, and what of it the start still is
  double best_ = 0;
  bool is_finite_ = true;
};

}  // namespace sft
