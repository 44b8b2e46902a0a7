// Scores of all questions of a split, from some numbers a window that can be gathered from any number of ranks. As by
// the evaluation of SQuAD 2.0; every score is between 0 and 1, where that says percent.
#pragma once

#include <cstddef>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

namespace sft {

// The best answer that one window of a question's context gives, as if there were one, and the chance of none.
struct AnsweredWindow {
  double row = 0;         // of the input; windows of one question have the same
  double has_answer = 0;  // the question, in truth: 1 or 0
  double null_score = 0;  // for no answer
  double best_score = kNoAnswer;
  double exact = 0, f1 = 0;  // of the best answer against the true ones
  double empty_exact = 0, empty_f1 = 0;  // of the empty answer, which is right where the true ones are articles alone

  static constexpr double kNoAnswer = -std::numeric_limits<double>::infinity();  // the window gives none
  static constexpr size_t kNumbers = 8;
  void append_to(std::vector<double>& rows) const;
  double null_minus_best() const { return null_score - best_score; }
};

// Whether the empty answer is given: never, or where the null score is more than `threshold` above the best one.
struct NullAnswers {
  bool allowed = false;  // version_2_with_negative
  double threshold = 0;  // null_score_diff_threshold

  bool given(const AnsweredWindow& row) const { return allowed && row.null_minus_best() > threshold; }
};

class AnswerScores {
 public:
  // `numbers`: those of append_to(), in any order of the questions; of windows with equal scores the first is taken. A
  // question's best answer is the best of its windows, its null score is their least. Where no window gives an answer,
  // run_qa.py says "empty", with a score of 0.
  AnswerScores(std::span<const double> numbers, const NullAnswers& null_answers);

  // exact_match and f1; where there are null answers also has_answer_exact_match, has_answer_f1, no_answer_f1,
  // and best_exact_match and best_f1 with the thresholds that would give them.
  nlohmann::ordered_json scores() const;

 private:
  struct Best {
    double score = 0, threshold = 0;
  };
  double mean(double AnsweredWindow::*score, double has_answer) const;
  double mean(double AnsweredWindow::*score) const;
  double given(double AnsweredWindow::*score, const AnsweredWindow& row) const;
  Best best(double AnsweredWindow::*score) const;

  std::vector<AnsweredWindow> rows_;  // one a question, in the order of the input
  NullAnswers null_answers_;
};

}  // namespace sft
