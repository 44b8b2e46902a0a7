// Predictions of questions against run_qa.py's rules: spans_reference.json, written by spans_reference.py.
#include "trainer/tasks/question_answering/answer_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

using nlohmann::json;

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
    const SpanLimits limits{entry["n_best"], entry["max_answer_length"]};
    const NullAnswers null_answers{entry["allowed"], entry["threshold"]};
    const auto context = entry["context"].get<std::string>();
    std::vector<std::string> windows;
    for (const json& window : entry["windows"]) {
      const std::vector<float> starts = window["start_logits"], ends = window["end_logits"];
      ContextWindow places;
      places.first = window["first"].get<std::vector<int32_t>>();
      places.end = window["end"].get<std::vector<int32_t>>();
      SpanSearch search(limits);
      search.add({starts, ends, places.first, places.end});
      windows.push_back(window_prediction("q", search.finish(), piece_of(places, context)));
    }
    json wanted = entry["prediction"];
    wanted["id"] = "q";
    expect_near(json::parse(question_prediction(windows, limits, null_answers)), wanted);
    std::ranges::reverse(windows);
    expect_near(json::parse(question_prediction(windows, limits, null_answers)), wanted);
    none += wanted["answer"] == "";
  }
  EXPECT_GT(none, 5u);
  EXPECT_LT(none, cases.size() / 2);
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
