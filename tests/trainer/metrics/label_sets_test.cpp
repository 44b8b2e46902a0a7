// Scores of sets of labels against scikit-learn: targets_reference.json, written by targets_reference.py.
#include "trainer/metrics/label_sets.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

TEST(LabelSets, HaveTheScoresOfScikitLearnOnRandomAndDegeneratePredictions) {
  const auto courses = nlohmann::json::parse(std::ifstream(TARGETS_REFERENCE))["label_sets"];
  ASSERT_GT(courses.size(), 25u);
  for (const auto& course : courses) {
    const auto num_labels = static_cast<int64_t>(course["truth"][0].size());
    const std::string what = course["kind"].get<std::string>() + ", " + std::to_string(num_labels) + " labels";
    std::vector<double> counts(LabelSets::num_counts(num_labels));
    std::vector<std::string> names;
    for (int64_t k = 0; k < num_labels; ++k) names.push_back("l" + std::to_string(k));
    for (size_t i = 0; i < course["truth"].size(); ++i)
      LabelSets::add(course["truth"][i].get<std::vector<uint8_t>>(), course["guess"][i].get<std::vector<uint8_t>>(),
                     counts);
    const LabelSets sets(num_labels, counts);
    const auto found = sets.scores();
    ASSERT_EQ(found.size(), course["scores"].size());
    for (const auto& [name, value] : course["scores"].items())
      EXPECT_NEAR(found.at(name).get<double>(), value.get<double>(), 1e-12) << name << ": " << what;
    const auto details = sets.details(names)["per_label"];
    for (size_t k = 0; k < names.size(); ++k) {
      const auto& wanted = course["per_label"][k];
      EXPECT_NEAR(details[names[k]]["precision"].get<double>(), wanted[0].get<double>(), 1e-12) << what;
      EXPECT_NEAR(details[names[k]]["recall"].get<double>(), wanted[1].get<double>(), 1e-12) << what;
      EXPECT_NEAR(details[names[k]]["f1"].get<double>(), wanted[2].get<double>(), 1e-12) << what;
      EXPECT_EQ(details[names[k]]["support"].get<double>(), wanted[3].get<double>()) << what;
    }
  }
}

TEST(LabelSets, ScoreZeroAndNotNaNWithoutASingleSample) {
  const LabelSets nothing(4, std::vector<double>(LabelSets::num_counts(4)));
  const auto scores = nothing.scores();
  for (const auto& [name, value] : scores.items()) EXPECT_EQ(value, 0.0) << name;
}

}  // namespace
}  // namespace sft
