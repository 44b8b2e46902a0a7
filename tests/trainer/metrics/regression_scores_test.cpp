// Scores of numbers against scikit-learn and scipy: targets_reference.json, written by targets_reference.py.
#include "trainer/metrics/regression_scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

void expect(double found, const nlohmann::json& wanted, const std::string& what) {
  if (wanted.is_null()) {
    EXPECT_TRUE(std::isnan(found)) << what << ": " << found;
  } else {
    EXPECT_NEAR(found, wanted.get<double>(), 1e-9 * std::max(1.0, std::abs(wanted.get<double>()))) << what;
  }
}

TEST(RegressionScores, AreThoseOfScikitLearnAndScipyOnRandomAndDegeneratePredictions) {
  const auto courses = nlohmann::json::parse(std::ifstream(TARGETS_REFERENCE))["numbers"];
  ASSERT_GT(courses.size(), 30u);
  for (const auto& course : courses) {
    const auto truth = course["truth"].get<std::vector<double>>(), guess = course["guess"].get<std::vector<double>>();
    const std::string what = course["kind"].get<std::string>() + ", " + std::to_string(truth.size()) + " samples, ";
    const RegressionScores found = regression_scores(truth, guess);
    expect(found.mse, course["scores"]["mse"], what + "mse");
    expect(found.mae, course["scores"]["mae"], what + "mae");
    expect(found.r2, course["scores"]["r2"], what + "r2");
    expect(found.pearson, course["scores"]["pearson"], what + "pearson");
    expect(found.spearman, course["scores"]["spearman"], what + "spearman");
  }
}

TEST(RegressionScores, AreNotANumberWhereThereIsNothingToScore) {
  const std::vector<double> one = {1}, two = {1, 2}, broken = {1, NAN};
  EXPECT_TRUE(std::isnan(regression_scores({}, {}).mse));
  EXPECT_EQ(regression_scores(one, one).mse, 0);
  EXPECT_TRUE(std::isnan(regression_scores(one, one).r2));
  EXPECT_TRUE(std::isnan(regression_scores(one, one).spearman));
  EXPECT_TRUE(std::isnan(regression_scores(two, broken).mae));
}

}  // namespace
}  // namespace sft
