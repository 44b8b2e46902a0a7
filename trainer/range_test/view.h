// The part of a curve that is worth looking at, and the numbers on its axes.
#pragma once

#include <string>
#include <vector>

#include "trainer/range_test/rate_curve.h"

namespace sft {

// Rates lie on a logarithmic axis. Losses reach as far up as the curve stood before its lowest point, and a little
// more: behind it they climb out of the view.
struct CurveView {
  explicit CurveView(const RateCurve& curve);  // of one point at least

  double least_rate, most_rate;
  double least_loss, most_loss;

  double x(double rate) const;          // 0 … 1, from left to right
  double y(double loss) const;          // 0 … 1, from bottom to top; above 1: out of the view
  std::vector<double> decades() const;  // powers of ten in it
};

std::string rate_text(double rate);  // "3.16e-05"
std::string loss_text(double loss);  // "3.1416"

}  // namespace sft
