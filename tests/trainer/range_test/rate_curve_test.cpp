// Smoothing, divergence and suggestions. The whole is compared with numpy in tests/end_to_end/test_find_lr.py.
#include "trainer/range_test/rate_curve.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "trainer/range_test/page.h"
#include "trainer/range_test/plot.h"
#include "trainer/range_test/range_test.h"

namespace sft {
namespace {

// Flat at 4, down to about 1 around a rate of 1e-3, up again past 1e-1.
double well(double rate) {
  const double x = std::log10(rate);
  return 4 - 3 / (1 + std::exp(-3 * (x + 3))) + std::exp(3 * (x + 0.5));
}

RateCurve curve_of(const std::function<double(double)>& loss, int64_t steps = 100) {
  const RangeTest test{1e-7, 10, steps};
  RateCurve curve;
  for (int64_t step = 0; step < steps && !curve.diverged(); ++step) curve.add(test.rate(step), loss(test.rate(step)));
  return curve;
}

TEST(RangeTest, RatesGrowByAConstantFactorFromTheFirstToTheLast) {
  const RangeTest test{1e-6, 0.1, 51};
  EXPECT_NEAR(test.rate(0), 1e-6, 1e-18);
  EXPECT_NEAR(test.rate(50), 0.1, 1e-12);
  EXPECT_NEAR(test.rate(31) / test.rate(30), std::pow(10, 0.1), 1e-12);
}

TEST(RateCurve, SmoothsWithoutABiasTowardsZeroAtItsStart) {
  RateCurve curve;
  for (int i = 0; i < 20; ++i) curve.add(1e-5 * (i + 1), 2.5);
  for (const auto& point : curve.points()) EXPECT_NEAR(point.smoothed, 2.5, 1e-12);
}

TEST(RateCurve, SuggestsWhereALossFallsFastestAndATenthOfItsLowestPoint) {
  const RateCurve curve = curve_of(well);
  ASSERT_TRUE(curve.steepest());
  EXPECT_GT(*curve.steepest(), 5e-4);  // 1e-3, and the running mean a little behind it
  EXPECT_LT(*curve.steepest(), 1e-2);
  EXPECT_GT(*curve.tenth_of_minimum(), 1e-3);
  EXPECT_LT(*curve.tenth_of_minimum(), 3e-2);
}

TEST(RateCurve, DivergesAtFourTimesItsLowestMeanOrWhereALossIsNotFinite) {
  EXPECT_TRUE(curve_of(well).diverged());
  EXPECT_LT(curve_of(well).points().back().rate, 10);
  EXPECT_FALSE(curve_of([](double) { return 1.0; }).diverged());
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    RateCurve curve;
    curve.add(1e-5, 1.0);
    EXPECT_FALSE(curve.diverged());
    curve.add(1e-4, bad);
    EXPECT_TRUE(curve.diverged());
    EXPECT_EQ(curve.points().size(), 1u) << "only finite losses are points";
  }
}

// A falling start that is no more than the noise of its first batches is no descent.
TEST(RateCurve, DoesNotTakeTheNoiseOfItsFirstUpdatesForTheDescent) {
  const RateCurve curve = curve_of([](double rate) { return well(rate) + (rate < 2e-7 ? 1.0 : 0.0); });
  EXPECT_GT(*curve.steepest(), 1e-4);
}

TEST(RateCurve, SuggestsNothingWhereTheLossNeverFalls) {
  EXPECT_FALSE(curve_of([](double rate) { return 1 + rate; }).steepest());
  EXPECT_FALSE(RateCurve().steepest());
  EXPECT_FALSE(RateCurve().tenth_of_minimum());
}

TEST(RangePlot, ShowsAnyCurveAndMarksWhatItSuggests) {
  const RateCurve curve = curve_of(well);
  const std::string plot = plot_text(curve);
  EXPECT_NE(plot.find("steepest fall"), std::string::npos);
  EXPECT_NE(plot.find("1e-3"), std::string::npos);
  EXPECT_EQ(plot_text(RateCurve()), "");
  RateCurve one;
  one.add(1e-5, 2);
  EXPECT_NE(plot_text(one), "");
  EXPECT_NE(plot_text(curve_of([](double) { return 0.0; })), "");
}

TEST(RangePage, NeedsNothingButItselfAndEscapesWhatItIsTold) {
  const RateCurve curve = curve_of(well);
  const std::string page = range_page(curve, {{"model", "<script>alert('x')</script> & \"co\""}});
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "@import", "url(//"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_EQ(page.find("nan"), std::string::npos);
  const std::string empty = range_page(RateCurve(), {});
  EXPECT_EQ(empty.find("<svg"), std::string::npos);
  EXPECT_NE(empty.find("No update had a finite loss"), std::string::npos);
}

}  // namespace
}  // namespace sft
