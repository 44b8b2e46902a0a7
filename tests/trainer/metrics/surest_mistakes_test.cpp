// The rows that are told are those of the highest scores among the wrong, however they are dealt.
#include "trainer/metrics/surest_mistakes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

namespace sft {
namespace {

struct Judged {
  int64_t row, target;
  std::vector<double> truths, logits;
};

std::vector<Judged> some_rows(int64_t count, size_t labels) {
  std::mt19937 draw(3);
  std::normal_distribution<double> normal;
  std::vector<Judged> rows;
  for (int64_t row = 0; row < count; ++row) {
    Judged& one = rows.emplace_back(Judged{row, 0, std::vector<double>(labels), {}});
    one.truths[draw() % labels] = 1;
    for (size_t k = 0; k < labels; ++k) one.logits.push_back(2 * normal(draw));
  }
  return rows;
}

SurestMistakes found_in(const std::vector<Judged>& rows, Squash squash = Squash::softmax,
                        const std::vector<double>& thresholds = {}) {
  SurestMistakes mistakes(5, squash, thresholds);
  for (const Judged& row : rows) mistakes.judge(row.row, row.target, 1, row.truths, row.logits);
  return mistakes;
}

// Written down the long way: all wrong rows with their scores, sorted.
std::vector<std::pair<double, int64_t>> wrong_rows(const std::vector<Judged>& rows) {
  std::vector<std::pair<double, int64_t>> wrong;
  for (const Judged& row : rows) {
    double sum = 0;
    for (const double logit : row.logits) sum += std::exp(logit);
    const size_t best = static_cast<size_t>(std::ranges::max_element(row.logits) - row.logits.begin());
    if (row.truths[best] == 0) wrong.emplace_back(-std::exp(row.logits[best]) / sum, row.row);
  }
  std::ranges::sort(wrong);
  return wrong;
}

TEST(SurestMistakes, AreTheWrongRowsOfTheHighestScores) {
  const auto rows = some_rows(200, 4);
  const SurestMistakes mistakes = found_in(rows);
  const auto wanted = wrong_rows(rows);
  ASSERT_EQ(mistakes.found().size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    const Mistake& mistake = mistakes.found()[i];
    EXPECT_EQ(mistake.row, wanted[i].second);
    EXPECT_NEAR(mistake.score, -wanted[i].first, 1e-12);
    EXPECT_EQ(rows[static_cast<size_t>(mistake.row)].truths[static_cast<size_t>(mistake.truth)], 1);
    EXPECT_NE(mistake.truth, mistake.guess);
  }
}

TEST(SurestMistakes, OfRowsWithProbabilitiesAreJudgedByTheLikeliestLabel) {
  const SurestMistakes mistakes = found_in({{0, 0, {0.2, 0.6, 0.2}, {-1, 2, -1}},
                                            {1, 0, {0.2, 0.2, 0.6}, {-1, 3, -1}},
                                            {2, 0, {0.5, 0.5, 0}, {2, 0, 0}}});
  ASSERT_EQ(mistakes.found().size(), 1u);
  EXPECT_EQ(mistakes.found()[0].row, 1);
  EXPECT_EQ(mistakes.found()[0].truth, 2);
  EXPECT_EQ(mistakes.found()[0].guess, 1);
}

// A tuned threshold decides: with 0.2 a second class of 0.25 is given, and the row is no mistake where that is true.
TEST(SurestMistakes, OfTwoClassesAreJudgedByTheLabelThatIsGiven) {
  const std::vector<double> quarter{std::log(3.0), 0};
  const SurestMistakes mistakes = found_in({{0, 0, {0, 1}, quarter}, {1, 0, {1, 0}, quarter}}, Squash::softmax, {0.2});
  ASSERT_EQ(mistakes.found().size(), 1u);
  EXPECT_EQ(mistakes.found()[0].row, 1);
  EXPECT_EQ(mistakes.found()[0].guess, 1);
  EXPECT_NEAR(mistakes.found()[0].score, 0.25, 1e-12);
}

TEST(SurestMistakes, OfASetHaveAThresholdEach) {
  const SurestMistakes mistakes = found_in({{0, 0, {0, 0}, {-1, -1}}}, Squash::sigmoid, {0.9, 0.1});
  ASSERT_EQ(mistakes.found().size(), 1u);
  EXPECT_EQ(mistakes.found()[0].guess, 1);
}

TEST(SurestMistakes, AreTheSameOnAnyNumberOfRanksAndInAnyOrder) {
  auto rows = some_rows(200, 4);
  const auto whole = found_in(rows).told({"a", "b", "c", "d"}, false);
  std::ranges::reverse(rows);
  EXPECT_EQ(found_in(rows).told({"a", "b", "c", "d"}, false), whole);
  SurestMistakes joined(5, Squash::softmax, {});
  for (size_t rank = 0; rank < 3; ++rank) {
    std::vector<Judged> share;
    for (size_t i = rank; i < rows.size(); i += 3) share.push_back(rows[i]);
    joined.merge(found_in(share).to_bytes());
  }
  EXPECT_EQ(joined.told({"a", "b", "c", "d"}, false), whole);
  joined.merge(joined.to_bytes());  // what is known already is not told twice
  EXPECT_EQ(joined.told({"a", "b", "c", "d"}, false), whole);
}

TEST(SurestMistakes, OfASetAreLabelsThatAreMissingOrTooMany) {
  const SurestMistakes mistakes = found_in({{0, 0, {1, 0}, {-3, -1}}, {1, 0, {1, 0}, {1, 2}}, {2, 0, {0, 0}, {-1, -1}}},
                                           Squash::sigmoid, {0.5, 0.5});
  const auto told = mistakes.told({"net", "mail"}, false);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0]["reference"], "net");
  EXPECT_TRUE(told[0]["label"].is_null());
  EXPECT_NEAR(told[0]["score"].get<double>(), 1 / (1 + std::exp(-3.0)), 1e-12);
  EXPECT_TRUE(told[1]["reference"].is_null());
  EXPECT_EQ(told[1]["label"], "mail");
}

TEST(SurestMistakes, OfARowAreTheSurestOfItsWords) {
  const SurestMistakes mistakes =
      found_in({{7, 0, {1, 0}, {0, 1}}, {7, 1, {1, 0}, {0, 3}}, {7, 2, {1, 0}, {0, 2}}, {8, 4, {0, 1}, {2, 0}}});
  const auto told = mistakes.told({"O", "B-LOC"}, true);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0]["row"], 7);
  EXPECT_EQ(told[0]["word"], 1);
  EXPECT_EQ(told[1]["word"], 4);
}

}  // namespace
}  // namespace sft
