// Predictions: one JSON object a question, joined from those of its windows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trainer/metrics/answer_scores.h"
#include "trainer/tasks/question_answering/rows/context_piece.h"
#include "trainer/tasks/question_answering/span_search.h"

namespace sft {

// What is kept of a window until those of its question are joined: the id of the question, the null score, and the
// best spans with their texts, which are cut from the window's piece.
std::string window_prediction(std::string_view id, const BestSpans& found, const ContextPiece& piece);

// Of the windows of one question, at least one, in any order: {"id", "answer", "start", "end" (characters of the
// context), "score", "null_score", "n_best": [{"answer", "start", "end", "score", "probability"}]}. "null_score" is
// there where null answers are allowed; the empty answer has −1 as start and end.
std::string question_prediction(const std::vector<std::string>& windows, const SpanLimits& limits,
                                const NullAnswers& null_answers);

}  // namespace sft
