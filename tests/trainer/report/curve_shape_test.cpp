#include "trainer/report/curve_shape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sft {
namespace {

std::vector<Point> wave(int count) {
  std::vector<Point> points;
  for (int i = 0; i < count; ++i) points.push_back({static_cast<double>(i), std::sin(i * 0.01)});
  return points;
}

std::vector<std::string> texts(const Axis& axis) {
  std::vector<std::string> all;
  for (const Axis::Tick& tick : axis.ticks) all.push_back(tick.text);
  return all;
}

TEST(Thinned, KeepsEveryPeakOfALongCurve) {
  std::vector<Point> points = wave(100'000);
  points[54'321].value = 40;
  points[77'777].value = -40;
  const std::vector<Point> few = thinned(points);
  EXPECT_LE(few.size(), 600u);
  const auto has = [&](double value) { return std::ranges::find(few, value, &Point::value) != few.end(); };
  EXPECT_TRUE(has(40) && has(-40));
  EXPECT_TRUE(std::ranges::is_sorted(few, {}, &Point::step));
}

TEST(Smoothed, LeavesAStraightLineWhereItIs) {
  std::vector<Point> points;
  for (int i = 0; i < 200; ++i) points.push_back({static_cast<double>(i), 100.0 - i});
  const std::vector<Point> means = smoothed(points);
  for (size_t i = 0; i < points.size(); ++i) EXPECT_NEAR(means[i].value, points[i].value, 1e-9);
}

TEST(Axis, HasRoundTicksAroundTheValues) {
  const std::vector<Point> line{{0, 4.03}, {1, 1.31}};
  const Axis axis = values_axis({&line});
  EXPECT_EQ(texts(axis), (std::vector<std::string>{"0", "1", "2", "3", "4", "5"}));
  EXPECT_EQ(texts(steps_axis(0, 504)), (std::vector<std::string>{"0", "100", "200", "300", "400", "500"}));
  const std::vector<Point> rates{{0, 0}, {1, 2e-4}};
  EXPECT_EQ(texts(values_axis({&rates})), (std::vector<std::string>{"0", "5e-5", "1e-4", "1.5e-4", "2e-4"}));
}

TEST(Axis, IsLogarithmicWhereOneValueWouldFlattenTheOthers) {
  std::vector<Point> line(100, Point{0, 1});
  line[3].value = 500;
  EXPECT_TRUE(values_axis({&line}).logarithmic);
  EXPECT_NEAR(values_axis({&line}).place(std::sqrt(500.0)), 0.5, 1e-9);
  line[3].value = 2;
  EXPECT_FALSE(values_axis({&line}).logarithmic);
}

TEST(Axis, OfScoresShowsATieAsOne) {
  constexpr double kTenth = 0.1 - 1e-9;
  const auto span = [](double least, double most) {
    const std::vector<Point> line{{0, least}, {1, most}};
    const Axis axis = scores_axis({&line});
    EXPECT_TRUE(axis.least <= least && most <= axis.most) << axis.least << " " << axis.most;
    EXPECT_LE(axis.most, 1.0 + 1e-9);
    return axis.most - axis.least;
  };
  EXPECT_GE(span(0.9365, 0.9390), kTenth);
  EXPECT_GE(span(1, 1), kTenth);
  EXPECT_GE(span(0, 0.01), kTenth);
  EXPECT_GE(span(-0.02, 0.01), kTenth);
  const std::vector<Point> far{{0, 0.3}, {1, 0.9}};
  EXPECT_EQ(texts(scores_axis({&far})), texts(values_axis({&far})));
}

// Every shape of curve gives places that are numbers.
TEST(Axis, IsFiniteForConstantZeroAndNegativeCurves) {
  for (const double value : {0.0, 1.0, -3.0, 1e-12, 1e12}) {
    const std::vector<Point> line(3, Point{0, value});
    const Axis axis = values_axis({&line});
    EXPECT_TRUE(std::isfinite(axis.place(value))) << value;
    EXPECT_FALSE(axis.ticks.empty()) << value;
    EXPECT_LT(axis.ticks.size(), 12u) << value;
  }
}

}  // namespace
}  // namespace sft
