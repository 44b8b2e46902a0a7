// Areas under curves against scikit-learn: targets_reference.json, written by targets_reference.py.
#include "trainer/metrics/areas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

std::vector<double> rows_of(const std::vector<std::vector<uint8_t>>& truth,
                            const std::vector<std::vector<double>>& scores) {
  std::vector<double> rows;
  for (size_t i = 0; i < truth.size(); ++i) Areas::add(truth[i], scores[i], rows);
  return rows;
}

TEST(Areas, AreThoseOfScikitLearnWithTiesAndLabelsOfNoneOrAll) {
  const auto courses = nlohmann::json::parse(std::ifstream(TARGETS_REFERENCE))["areas"];
  ASSERT_GT(courses.size(), 10u);
  for (const auto& course : courses) {
    const auto rows = rows_of(course["truth"], course["scores"]);
    const Areas areas(static_cast<int64_t>(course["truth"][0].size()), rows);
    const std::string what = course["kind"].get<std::string>();
    EXPECT_NEAR(areas.roc_auc(), course["roc_auc"].get<double>(), 1e-12) << what;
    EXPECT_NEAR(areas.average_precision(), course["average_precision"].get<double>(), 1e-12) << what;
  }
}

TEST(Areas, AreTheSameInWhateverOrderRanksGiveTheirRows) {
  const std::vector<std::vector<uint8_t>> truth = {{1, 0}, {0, 1}, {1, 1}, {0, 0}, {1, 0}};
  const std::vector<std::vector<double>> scores = {{0.7, 0.1}, {0.7, 0.3}, {0.2, 0.3}, {0.9, 0.3}, {0.1, 0.8}};
  const auto rows = rows_of(truth, scores),
             turned = rows_of({truth.rbegin(), truth.rend()}, {scores.rbegin(), scores.rend()});
  EXPECT_EQ(Areas(2, rows).roc_auc(), Areas(2, turned).roc_auc());
  EXPECT_EQ(Areas(2, rows).average_precision(), Areas(2, turned).average_precision());
}

TEST(Areas, AreNotANumberWhereNoLabelHasBothKindsOfSamples) {
  const auto rows = rows_of({{1, 0}, {1, 0}}, {{0.2, 0.3}, {0.4, 0.1}});
  EXPECT_TRUE(std::isnan(Areas(2, rows).roc_auc()));
  EXPECT_EQ(Areas(2, rows).average_precision(), 0.5) << "1 of the label of all rows, 0 of that of none";
  EXPECT_TRUE(std::isnan(Areas(2, {}).average_precision()));
}

TEST(Areas, AreNotANumberWhereAScoreIsNone) {
  for (const double none : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    const auto rows = rows_of({{1}, {0}, {1}}, {{0.2}, {none}, {0.4}});
    EXPECT_TRUE(std::isnan(Areas(1, rows).roc_auc()));
    EXPECT_TRUE(std::isnan(Areas(1, rows).average_precision()));
  }
}

TEST(Areas, AreAskedForByName) {
  EXPECT_TRUE(asks_for_areas(std::vector<std::string>{"accuracy", "roc_auc"}));
  EXPECT_FALSE(asks_for_areas(std::vector<std::string>{"accuracy", "f1"}));
}

}  // namespace
}  // namespace sft
