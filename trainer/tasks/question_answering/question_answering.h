// Questions answered by a span of a text: scores of its first and of its last token, on every token of a window.
#pragma once

#include <memory>

#include "trainer/metrics/answer_scores.h"
#include "trainer/tasks/blocks/logits_task.h"
#include "trainer/tasks/question_answering/span_search.h"

namespace sft {

// How answers are chosen and scored.
struct AnsweringConfig {
  SpanLimits limits = {};
  std::string version_2_with_negative = "auto";  // auto: where a question has no answer; true | false
  double null_score_diff_threshold = 0;
  std::string answer_unit = "auto";  // auto (LetterCounts) | word | character
};

// ConfigError where the settings do not fit the task.
std::unique_ptr<LogitsTask> make_question_answering(const TaskSettings& settings, const AnsweringConfig& answering,
                                                    const Model& model);

}  // namespace sft
