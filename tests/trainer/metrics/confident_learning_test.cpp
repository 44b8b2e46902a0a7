// Confident learning against cleanlab 2.9: noise_reference.json, written by noise_reference.py.
#include "trainer/metrics/confident_learning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

LabelledProbabilities rows_of(const nlohmann::json& wanted) {
  return {wanted["classes"], wanted["probabilities"], wanted["labels"]};
}

// Shown to fail: with every class reached, without the scaling to the given labels, and where rows whose label is the
// likeliest stay.
TEST(ConfidentLearning, FindsTheIssuesThatCleanlabFinds) {
  const auto all = nlohmann::json::parse(std::ifstream(NOISE_REFERENCE));
  ASSERT_EQ(all.size(), 8u);
  size_t found = 0;
  for (const auto& wanted : all) {
    const LabelledProbabilities rows = rows_of(wanted);
    EXPECT_EQ(confident_joint(rows), wanted["joint"].get<std::vector<int64_t>>());
    std::vector<int64_t> issues = find_label_issues(rows);
    found += issues.size();
    EXPECT_TRUE(std::ranges::is_sorted(issues, {}, [&](int64_t i) { return rows.self_confidence(i); }));
    std::ranges::sort(issues);
    EXPECT_EQ(issues, wanted["issues"].get<std::vector<int64_t>>());
  }
  EXPECT_GT(found, 50u);
}

TEST(ConfidentLearning, ScoresLabelsAsCleanlabDoes) {
  for (const auto& wanted : nlohmann::json::parse(std::ifstream(NOISE_REFERENCE))) {
    const LabelledProbabilities rows = rows_of(wanted);
    for (int64_t i = 0; i < rows.size(); ++i) {
      const auto at = static_cast<size_t>(i);
      EXPECT_NEAR(rows.self_confidence(i), wanted["self_confidence"][at].get<double>(), 1e-6);
      EXPECT_NEAR((1 + rows.margin(i)) / 2, wanted["normalized_margin"][at].get<double>(), 1e-6);
    }
  }
}

TEST(ConfidentLearning, TakesNothingOfRowsThatAreRight) {
  const LabelledProbabilities rows{2, {0.9, 0.1, 0.2, 0.8, 0.7, 0.3}, {0, 1, 0}};
  EXPECT_TRUE(find_label_issues(rows).empty());
  EXPECT_TRUE(find_label_issues({2, {}, {}}).empty());
}

}  // namespace
}  // namespace sft
