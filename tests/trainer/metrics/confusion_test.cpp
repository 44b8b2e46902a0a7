// Scores against scikit-learn: reference.json, written by reference.py.
#include "trainer/metrics/confusion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/trainer/metrics/expected_scores.h"
#include "trainer/metrics/classification_report.h"

namespace sft {
namespace {

Confusion confusion_of(const nlohmann::json& course) {
  const int64_t classes = course["classes"];
  std::vector<double> counts(static_cast<size_t>(classes * classes));
  for (size_t i = 0; i < course["truth"].size(); ++i) {
    const int64_t truth = course["truth"][i], prediction = course["prediction"][i];
    counts[static_cast<size_t>(truth * classes + prediction)] += 1;
  }
  return Confusion(classes, counts);
}

// Shown to fail: with macro means over all classes rather than those that occur, and with rows and columns exchanged.
TEST(Confusion, GivesTheScoresOfScikitLearnOnRandomAndDegeneratePredictions) {
  const auto reference = nlohmann::json::parse(std::ifstream(REFERENCE));
  ASSERT_GT(reference.size(), 50u);
  for (const auto& course : reference) {
    const std::string what = course["kind"].get<std::string>() + ", " + course["classes"].dump() + " classes, " +
                             std::to_string(course["truth"].size()) + " samples";
    const Confusion confusion = confusion_of(course);
    const auto found = classification_scores(confusion);
    ASSERT_EQ(found.size(), course["scores"].size());
    for (const auto& [name, value] : course["scores"].items()) {
      const double score = found.at(name).get<double>();
      if (value.is_null()) {
        EXPECT_TRUE(std::isnan(score)) << name << ": " << what;
      } else {
        EXPECT_NEAR(score, value.get<double>(), 1e-12) << name << ": " << what;
      }
    }
    expect_scores(confusion.macro(), course["macro"], what + ", macro");
    expect_scores(confusion.weighted(), course["weighted"], what + ", weighted");
    for (int64_t label = 0; label < confusion.num_classes(); ++label) {
      const auto place = static_cast<size_t>(label);
      const auto& by_class = course["per_class"];
      expect_scores(confusion.of_class(label), {by_class[0][place], by_class[1][place], by_class[2][place]},
                    what + ", class " + std::to_string(label));
    }
  }
}

TEST(Confusion, ScoresZeroWithoutASingleSampleButForChanceCorrectedAgreement) {
  for (const int64_t classes : {2, 4}) {
    const Confusion nothing(classes, std::vector<double>(static_cast<size_t>(classes * classes)));
    const auto scores = classification_scores(nothing);
    for (const auto& [name, value] : scores.items()) {
      if (name == "cohen_kappa") continue;
      EXPECT_EQ(value, 0.0) << name;
    }
    EXPECT_TRUE(std::isnan(nothing.kappa()));
  }
}

TEST(Confusion, IsTheSameFromTheSummedCountsOfSeveralRanks) {
  const std::vector<double> first = {3, 1, 0, 0, 2, 2, 1, 0, 0}, second = {0, 0, 4, 1, 1, 0, 0, 0, 5};
  std::vector<double> sum(9);
  for (size_t i = 0; i < 9; ++i) sum[i] = first[i] + second[i];
  const Confusion confusion(3, sum);
  EXPECT_EQ(confusion.total(), 20);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), (3 + 2 + 0 + 0 + 1 + 5) / 20.0);
}

TEST(ClassificationReport, NamesScoresInTheOrderInWhichTheyArePrinted) {
  const Confusion confusion(2, std::vector<double>{5, 1, 2, 4});
  const auto scores = classification_scores(confusion);
  std::vector<std::string> names;
  for (const auto& [name, value] : scores.items()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"accuracy", "f1", "f1_micro", "f1_weighted", "precision", "recall", "mcc",
                                             "cohen_kappa"}));
}

TEST(ClassificationReport, ShowsEachClassByNameAndTheMatrixWithTruthAsRows) {
  const auto details = classification_details(Confusion(2, std::vector<double>{5, 1, 2, 4}), {"ham", "spam"});
  EXPECT_EQ(details["confusion_matrix"].dump(), "[[5,1],[2,4]]");
  EXPECT_EQ(details["labels"].dump(), R"(["ham","spam"])");
  EXPECT_DOUBLE_EQ(details["per_class"]["spam"]["precision"].get<double>(), 0.8);
  EXPECT_EQ(details["per_class"]["ham"]["support"], 6);
}

}  // namespace
}  // namespace sft
