// Best spans against run_qa.py's rules: spans_reference.json, written by spans_reference.py.
#include "trainer/tasks/question_answering/span_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

using nlohmann::json;

struct SpanWindow {
  std::vector<float> start_logits, end_logits;
  std::vector<int32_t> first, end;
  WindowLogits logits() const { return {start_logits, end_logits, first, end}; }
};

SpanWindow window_of(const json& entry) {
  return {entry["start_logits"], entry["end_logits"], entry["first"], entry["end"]};
}

TEST(SpanSearch, FindsTheSpansOfRunQa) {
  const json cases = json::parse(std::ifstream(SPANS_REFERENCE));
  size_t compared = 0, without = 0;
  for (const json& entry : cases) {
    SpanSearch search({entry["n_best"], entry["max_answer_length"]});
    std::vector<SpanWindow> windows;
    for (const json& window : entry["windows"]) windows.push_back(window_of(window));
    for (int order = 0; order < 2; ++order) {  // and again, in the other order
      for (const SpanWindow& window : windows) search.add(window.logits());
      const BestSpans found = search.finish();
      ASSERT_EQ(found.null_score, entry["null_score"].get<double>());
      ASSERT_EQ(found.spans.size(), entry["spans"].size());
      for (size_t i = 0; i < found.spans.size(); ++i) {
        const ScoredSpan& span = found.spans[i];
        ASSERT_EQ(json({span.score, span.first, span.end}), entry["spans"][i]) << "span " << i;
        ++compared;
      }
      without += found.spans.empty();
      std::reverse(windows.begin(), windows.end());
    }
  }
  EXPECT_GT(compared, 500u);
  EXPECT_GT(without, 2u);
}

TEST(SpanSearch, EndsOnNumbersThatAreNone) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  const SpanWindow window{
      {0, kNan, kInfinity, 1, -kInfinity}, {kNan, 2, -kInfinity, kNan, 3}, {-1, 0, 1, 2, 3}, {-1, 1, 2, 3, 4}};
  SpanSearch search({20, 30});
  search.add(window.logits());
  const BestSpans found = search.finish();
  EXPECT_EQ(found.spans.size(), 10u);
  EXPECT_EQ(found.spans[0].first, 1);
  EXPECT_EQ(found.spans[0].end, 4);
}

}  // namespace
}  // namespace sft
