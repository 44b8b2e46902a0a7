// Predictions: one JSON object a question, joined from its windows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/metrics/answer_scores.h"
#include "trainer/tasks/question_answering/span_search.h"
#include "trainer/tasks/question_answering/windows/context_piece.h"

namespace sft {

class AnswerRows {
 public:
  using Sink = std::function<void(int64_t row, const std::string& json)>;

  AnswerRows(const SpanLimits& limits, const NullAnswers& null_answers, Sink sink)
      : search_(limits), limits_(limits), null_answers_(null_answers), sink_(std::move(sink)) {}

  // The windows of a row come one after another.
  void add(int64_t row, std::string_view id, const WindowLogits& window, const ContextPiece& piece);
  void finish();  // behind the last row

 private:
  struct Piece {
    int32_t first = 0;
    std::string text;
  };
  struct Candidate {
    std::string_view answer;  // "": none
    int32_t start = -1, end = -1;
    double score = 0, probability = 0;
  };
  std::string_view text_of(const ScoredSpan& span) const;
  std::vector<Candidate> candidates(const BestSpans& found) const;
  std::string to_json(const BestSpans& found) const;

  SpanSearch search_;
  SpanLimits limits_;
  NullAnswers null_answers_;
  Sink sink_;
  int64_t row_ = -1;           // −1: none yet
  std::string id_;             // of the row
  std::vector<Piece> pieces_;  // of its windows
};

}  // namespace sft
