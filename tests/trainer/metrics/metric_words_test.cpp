// What people are told of metrics.
#include "trainer/metrics/metric_words.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "trainer/metrics/classification_report.h"
#include "trainer/metrics/entity_report.h"
#include "trainer/metrics/label_sets.h"

namespace sft {
namespace {

MetricWords words_of_classes(const std::vector<std::string>& names) {
  const std::vector<double> counts(names.size() * names.size(), 1);
  return MetricWords(classification_details(Confusion(static_cast<int64_t>(names.size()), counts), names));
}

TEST(MetricWords, TellWhatF1IsAMeanOf) {
  EXPECT_EQ(words_of_classes({"a", "b", "c"}).remark("f1"), " (macro)");
  EXPECT_EQ(words_of_classes({"a", "b", "c"}).remark("recall"), " (macro)");
  EXPECT_EQ(words_of_classes({"ham", "spam"}).remark("f1"), " (of spam)");
  EXPECT_EQ(words_of_classes({"a", "b", "c"}).remark("f1_weighted"), "");
  EXPECT_EQ(words_of_classes({"a", "b", "c"}).remark("accuracy"), "");
  EXPECT_EQ(MetricWords().remark("f1"), "");
}

TEST(MetricWords, KnowThatMicroF1IsAccuracyWhereARowHasOneLabel) {
  const std::vector<double> counts{5, 1, 0, 2, 7, 1, 0, 0, 3};
  const auto scores = classification_scores(Confusion(3, counts));
  EXPECT_DOUBLE_EQ(scores["f1_micro"].get<double>(), scores["accuracy"].get<double>());
  EXPECT_TRUE(words_of_classes({"a", "b", "c"}).repeats("f1_micro"));
  EXPECT_FALSE(words_of_classes({"a", "b", "c"}).repeats("f1"));
  EXPECT_FALSE(MetricWords().repeats("f1_micro"));
  EXPECT_FALSE(MetricWords({{"labels", {"a", "b", "c"}}, {"confusion_matrix", 0}}, false).repeats("f1_micro"))
      << "where accuracy is not told it is told once alone";
}

TEST(MetricWords, KnowThatSetsOfLabelsHaveAMicroF1OfTheirOwn) {
  const std::vector<double> counts(static_cast<size_t>(LabelSets::num_counts(2)), 1);
  const MetricWords words(LabelSets(2, counts).details({"net", "mail"}));
  EXPECT_FALSE(words.repeats("f1_micro"));
  EXPECT_EQ(words.remark("f1"), " (macro)");
}

TEST(MetricWords, CallTheF1OfEntitiesMicro) {
  const std::vector<double> counts(EntityCounts::size(2), 1);
  const EntityScores scores(counts);
  EXPECT_EQ(MetricWords(entity_details(scores, scores, {"LOC", "PER"})).remark("f1"), " (micro)");
}

}  // namespace
}  // namespace sft
