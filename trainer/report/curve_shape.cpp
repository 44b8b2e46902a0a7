#include "trainer/report/curve_shape.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/text.h"

namespace sft {
namespace {

// 1, 2 or 5 times a power of ten.
double round_step(double span, int wanted) {
  const double rough = span / wanted, power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (rough <= factor * power * 1.0001) return factor * power;
  return 10 * power;
}

std::string tick_text(double value, double step) {
  if (std::abs(value) < step / 1000) return "0";
  if (std::abs(value) >= 1000) return human_count(value);
  char text[32];
  if (std::abs(value) < 1e-3) {  // "1.5e-4"
    const int power = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9));
    std::snprintf(text, sizeof text, "%.3ge%d", std::round(value * std::pow(10, 2 - power)) / 100, power);
    return text;
  }
  std::snprintf(text, sizeof text, "%.*f", std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))), value);
  return text;
}

void add_linear_ticks(Axis& axis, double step) {
  for (double at = std::ceil(axis.least / step - 1e-9) * step; at <= axis.most + step * 1e-9; at += step)
    axis.ticks.push_back({axis.place(at), tick_text(at, step)});
}

void add_logarithmic_ticks(Axis& axis) {
  const bool many = std::log10(axis.most / axis.least) > 3;
  for (double power = std::pow(10, std::floor(std::log10(axis.least))); power <= axis.most; power *= 10)
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double at = power * factor;
      if ((factor > 1 && many) || at < axis.least * 0.999 || at > axis.most * 1.001) continue;
      axis.ticks.push_back({axis.place(at), tick_text(at, power)});
    }
}

}  // namespace

std::vector<Point> thinned(const std::vector<Point>& points, size_t most) {
  if (points.size() <= most) return points;
  const size_t stretches = most / 2;
  const auto by_value = [](const Point& a, const Point& b) { return a.value < b.value; };
  std::vector<Point> kept;
  for (size_t i = 0; i < stretches; ++i) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(i * points.size() / stretches);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>((i + 1) * points.size() / stretches);
    const auto [low, high] = std::minmax_element(begin, end, by_value);
    kept.push_back(*std::min(low, high));
    if (low != high) kept.push_back(*std::max(low, high));
  }
  return kept;
}

// Sums of prefixes, so that a window costs the same however wide it is.
std::vector<Point> smoothed(const std::vector<Point>& points) {
  std::vector<double> sums{0};
  for (const Point& point : points) sums.push_back(sums.back() + point.value);
  const size_t half = std::max<size_t>(1, points.size() / 50);
  std::vector<Point> means;
  for (size_t i = 0; i < points.size(); ++i) {
    const size_t reach = std::min({half, i, points.size() - 1 - i});
    const size_t begin = i - reach, end = i + reach + 1;
    means.push_back({points[i].step, (sums[end] - sums[begin]) / static_cast<double>(end - begin)});
  }
  return means;
}

double Axis::place(double value) const {
  return logarithmic ? std::log(value / least) / std::log(most / least) : (value - least) / (most - least);
}

Axis steps_axis(double least, double most, int wanted) {
  Axis axis{least, most > least ? most : least + 1, false, {}};
  add_linear_ticks(axis, std::max(1.0, round_step(axis.most - axis.least, wanted)));
  return axis;
}

Axis values_axis(const std::vector<const std::vector<Point>*>& lines, int wanted) {
  std::vector<double> values;
  for (const auto* line : lines)
    for (const Point& point : *line) values.push_back(point.value);
  if (values.empty()) values = {0, 1};
  std::ranges::sort(values);
  Axis axis{values.front(), values.back(), false, {}};
  const double median = values[values.size() / 2];
  if (axis.least > 0 && axis.most > 8 * median && axis.most > 20 * axis.least) {
    axis.logarithmic = true;
    axis.least /= 1.15, axis.most *= 1.15;
    add_logarithmic_ticks(axis);
    return axis;
  }
  // A flat line stands in the middle; one near 0 begins there.
  if (axis.most - axis.least < 1e-9 * std::max(1e-300, std::abs(axis.most))) {
    const double room = axis.most == 0 ? 1 : std::abs(axis.most) / 2;
    axis.least -= room, axis.most += room;
  }
  if (axis.least > 0 && axis.least < 0.35 * axis.most) axis.least = 0;
  const double step = round_step(axis.most - axis.least, wanted);
  axis.least = std::floor(axis.least / step + 1e-9) * step;
  axis.most = std::ceil(axis.most / step - 1e-9) * step;
  add_linear_ticks(axis, step);
  return axis;
}

Axis scores_axis(const std::vector<const std::vector<Point>*>& lines, int wanted) {
  constexpr double kLeastSpan = 0.1;
  double least = 1, most = -1;
  for (const auto* line : lines)
    for (const Point& point : *line) least = std::min(least, point.value), most = std::max(most, point.value);
  if (most - least >= kLeastSpan) return values_axis(lines, wanted);
  const double top = std::min(1.0, (least + most + kLeastSpan) / 2);
  const double bottom = std::max(top - kLeastSpan, std::min(least, 0.0));
  const std::vector<Point> span{{0, bottom}, {0, std::max(top, bottom + kLeastSpan)}};
  return values_axis({&span}, wanted);
}

}  // namespace sft
