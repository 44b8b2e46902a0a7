// Predictions of questions against run_qa.py's rules: spans_reference.json, written by spans_reference.py.
#include "trainer/tasks/question_answering/answer_rows.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

using nlohmann::json;

struct Row {
  int64_t row;
  json prediction;
};

void expect_near(const json& found, const json& wanted) {
  ASSERT_EQ(found.size(), wanted.size()) << found << " " << wanted;
  for (const auto& [key, value] : wanted.items()) {
    if (value.is_number_float()) {
      EXPECT_NEAR(found.at(key).get<double>(), value.get<double>(), 1e-12) << key;
    } else if (value.is_structured()) {
      for (size_t i = 0; i < value.size(); ++i) expect_near(found.at(key).at(i), value[i]);
      EXPECT_EQ(found.at(key).size(), value.size());
    } else {
      EXPECT_EQ(found.at(key), value) << key;
    }
  }
}

TEST(AnswerRows, AreThePredictionsOfRunQa) {
  const json cases = json::parse(std::ifstream(SPANS_REFERENCE));
  size_t none = 0;
  for (const json& entry : cases) {
    SCOPED_TRACE(entry["context"].get<std::string>());
    std::vector<Row> rows;
    AnswerRows answers({entry["n_best"], entry["max_answer_length"]}, {entry["allowed"], entry["threshold"]},
                       [&](int64_t row, const std::string& text) {
                         rows.push_back({row, json::parse(text)});
                       });
    const auto context = entry["context"].get<std::string>();
    for (const int64_t row : {3, 8}) {  // the same question twice
      for (const json& window : entry["windows"]) {
        const std::vector<float> starts = window["start_logits"], ends = window["end_logits"];
        ContextWindow places;
        places.first = window["first"].get<std::vector<int32_t>>();
        places.end = window["end"].get<std::vector<int32_t>>();
        answers.add(row, "q", {starts, ends, places.first, places.end}, piece_of(places, context));
      }
    }
    answers.finish();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].row, 3);
    EXPECT_EQ(rows[1].row, 8);
    EXPECT_EQ(rows[0].prediction, rows[1].prediction);
    json wanted = entry["prediction"];
    wanted["id"] = "q";
    expect_near(rows[0].prediction, wanted);
    none += wanted["answer"] == "";
  }
  EXPECT_GT(none, 5u);
  EXPECT_LT(none, cases.size() / 2);
}

TEST(AnswerRows, OfNothingAreNone) {
  AnswerRows answers({}, {}, [](int64_t, const std::string&) { FAIL(); });
  answers.finish();
  answers.finish();
}

TEST(ContextPiece, IsWhatTheTokensOfAWindowAreMadeOf) {
  ContextWindow window;
  window.first = {-1, 5, -1, 2, 4, -1};
  window.end = {-1, 6, -1, 4, 4, -1};
  const ContextPiece piece = piece_of(window, "aé漢😀 zz");
  EXPECT_EQ(piece.first, 2);
  EXPECT_EQ(piece.text, "漢😀 z");
  EXPECT_EQ(piece.cut(3, 5), "😀 ");
  EXPECT_TRUE(piece.holds(2, 6));
  EXPECT_FALSE(piece.holds(1, 3));
  EXPECT_FALSE(piece.holds(5, 7));
  EXPECT_EQ(piece_of(ContextWindow{}, "a").text, "");
}

}  // namespace
}  // namespace sft
