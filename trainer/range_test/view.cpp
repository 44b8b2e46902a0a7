#include "trainer/range_test/view.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sft {
namespace {

constexpr double kMargin = 0.15;  // of the height, above and below

std::string formatted(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

CurveView::CurveView(const RateCurve& curve) {
  const auto& points = curve.points();
  least_rate = points.front().rate;
  most_rate = points.back().rate;
  least_loss = most_loss = points.front().smoothed;
  double highest = most_loss;  // so far
  for (const RateCurve::Point& point : points) {
    highest = std::max(highest, point.smoothed);
    if (point.smoothed <= least_loss) least_loss = point.smoothed, most_loss = highest;
  }
  if (most_loss == least_loss) most_loss = highest;  // it only ever climbed
  const double margin = std::max(kMargin * (most_loss - least_loss), 1e-3 * std::abs(most_loss) + 1e-9);
  least_loss -= margin;
  most_loss += margin;
}

double CurveView::x(double rate) const {
  return most_rate > least_rate ? std::log(rate / least_rate) / std::log(most_rate / least_rate) : 0.5;
}

double CurveView::y(double loss) const { return (loss - least_loss) / (most_loss - least_loss); }

std::vector<double> CurveView::decades() const {
  std::vector<double> inside;
  const double slack = 1e-9;
  for (double power = std::ceil(std::log10(least_rate) - slack); power <= std::log10(most_rate) + slack; ++power)
    inside.push_back(std::pow(10.0, power));
  return inside;
}

std::string rate_text(double rate) { return formatted("%.2e", rate); }
std::string loss_text(double loss) { return formatted("%.4f", loss); }

}  // namespace sft
