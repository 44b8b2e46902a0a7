// Answers against the evaluations of SQuAD 2.0 and CMRC 2018: answers_reference.json, written by answers_reference.py.
#include "trainer/metrics/answers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "trainer/metrics/answer_scores.h"

namespace sft {
namespace {

using nlohmann::json;

const json& answers_reference() {
  static const json content = json::parse(std::ifstream(ANSWERS_REFERENCE));
  return content;
}

TEST(Answers, AreScoredAsSquadAndCmrcScoreThem) {
  size_t exact = 0, partly = 0;
  for (const json& wanted : answers_reference()["cases"]) {
    const AnswerUnit unit = wanted["unit"] == "word" ? AnswerUnit::word : AnswerUnit::character;
    const AnswerScore found =
        score_answer(wanted["answer"].get<std::string>(), wanted["truth"].get<std::vector<std::string>>(), unit);
    EXPECT_EQ(found.exact, wanted["exact"].get<double>()) << wanted;
    EXPECT_NEAR(found.f1, wanted["f1"].get<double>(), 1e-12) << wanted;
    exact += found.exact == 1;
    partly += found.f1 > 0 && found.f1 < 1;
  }
  EXPECT_GT(exact, 100u);
  EXPECT_GT(partly, 100u);
}

TEST(AnswerScores, AreThoseOfSquadInWhateverOrderRowsCome) {
  std::mt19937 random(3);
  for (const json& course : answers_reference()["courses"]) {
    auto rows = course["rows"].get<std::vector<std::vector<double>>>();
    std::shuffle(rows.begin(), rows.end(), random);
    std::vector<double> numbers;
    for (const auto& row : rows)
      AnsweredWindow{row[0], row[1], row[2], row[3], row[4], row[5], 1 - row[1], 1 - row[1]}.append_to(numbers);
    const json found = AnswerScores(numbers, {course["allowed"], course["threshold"]}).scores();
    ASSERT_EQ(found.size(), course["scores"].size()) << found;
    for (const auto& [name, value] : course["scores"].items())
      EXPECT_NEAR(found[name].get<double>(), value.get<double>(), 1e-12) << name << " of " << rows.size();
  }
}

TEST(AnswerScores, TakeAQuestionsBestAnswerAndLeastNullScoreFromItsWindows) {
  const NullAnswers allowed{true, 0};
  const auto f1 = [&](const std::vector<AnsweredWindow>& windows) {
    std::vector<double> numbers;
    for (const AnsweredWindow& window : windows) window.append_to(numbers);
    return AnswerScores(numbers, allowed).scores()["f1"].get<double>();
  };
  EXPECT_EQ(f1({{0, 1, 2, 3, 0, 0.25}, {0, 1, 9, 4, 0, 0.5}, {0, 1, 9, 4, 0, 0.75}}), 0.5)
      << "4 is above 2, the first of them";
  EXPECT_EQ(f1({{0, 1, 5, 3, 0, 0.25}, {0, 1, 9, 4, 0, 0.5}}), 0) << "5 is above 4: no answer is given";
  EXPECT_EQ(f1({{0, 0, 5, 3, 0, 0, 1, 1}, {1, 1, 2, 3, 1, 1}, {0, 0, 4, 3, 0, 0, 1, 1}}), 1);
  EXPECT_EQ(f1({{0, 1, 1, AnsweredWindow::kNoAnswer, 0, 0}, {0, 1, -1, -3, 0, 0.5}}), 0) << "-1 is above -3";
  EXPECT_EQ(f1({{0, 0, 1, AnsweredWindow::kNoAnswer, 0, 0, 1, 1}}), 1) << "1 is above the 0 of \"empty\"";
  EXPECT_EQ(f1({{0, 0, -1, AnsweredWindow::kNoAnswer, 0, 0, 1, 1}}), 0);
}

TEST(AnswerScores, GiveTheEmptyAnswerWhatItScoredAgainstTheTrueOnes) {
  std::vector<double> numbers;
  AnsweredWindow{0, 1, 5, 3, 0, 0.25, 1, 0.5}.append_to(numbers);  // answers are there, and nothing is left of them
  AnsweredWindow{1, 1, 5, 3, 1, 1}.append_to(numbers);
  const json scores = AnswerScores(numbers, {true, 0}).scores();
  EXPECT_EQ(scores["exact_match"], 0.5);
  EXPECT_EQ(scores["f1"], 0.25);
  EXPECT_EQ(scores["has_answer_exact_match"], 0.5);
}

TEST(AnswerScores, OfNoRowsAreZero) {
  const json scores = AnswerScores({}, {true, 0}).scores();
  for (const auto& [name, value] : scores.items()) EXPECT_EQ(value, 0.0) << name;
}

TEST(LetterCounts, TellChineseFromOtherLanguages) {
  const auto unit_of = [](const std::vector<std::string>& texts) {
    LetterCounts counts;
    for (const std::string& text : texts) counts.add(text);
    return counts.unit();
  };
  EXPECT_EQ(unit_of({"张伟", "2021"}), AnswerUnit::word) << "digits are letters here";
  EXPECT_EQ(unit_of({"张伟。", "21 "}), AnswerUnit::character) << "half is enough, signs and blanks are none";
  EXPECT_EQ(unit_of({"カナ", "𠀀"}), AnswerUnit::character);
  EXPECT_EQ(unit_of({"Ada", "한국어"}), AnswerUnit::word);
  EXPECT_EQ(unit_of({"", "..."}), AnswerUnit::word);
}

}  // namespace
}  // namespace sft
