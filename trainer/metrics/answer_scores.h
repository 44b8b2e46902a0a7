// Scores of all questions of a split, from some numbers a question that can be gathered from any number of ranks. As by
// the evaluation of SQuAD 2.0; every score is between 0 and 1, where that says percent.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

namespace sft {

// A question's best answer, as if there were one, and the question's chance to have none.
struct AnsweredRow {
  double row = 0;            // of the input: the order in which sums are taken
  double has_answer = 0;     // 1 or 0, in truth
  double null_score = 0;     // for no answer
  double best_score = 0;     // of the best answer
  double exact = 0, f1 = 0;  // of the best answer

  static constexpr size_t kNumbers = 6;
  void append_to(std::vector<double>& rows) const;
  double null_minus_best() const { return null_score - best_score; }
};

// Whether the empty answer is given: never, or where the null score is more than `threshold` above the best one.
struct NullAnswers {
  bool allowed = false;  // version_2_with_negative
  double threshold = 0;  // null_score_diff_threshold

  bool given(const AnsweredRow& row) const { return allowed && row.null_minus_best() > threshold; }
};

class AnswerScores {
 public:
  // `numbers`: those of append_to(), in any order of the questions.
  AnswerScores(std::span<const double> numbers, const NullAnswers& null_answers);

  // exact_match and f1; where there are null answers also has_answer_exact_match, has_answer_f1, no_answer_f1,
  // and best_exact_match and best_f1 with the thresholds that would give them.
  nlohmann::ordered_json scores() const;

 private:
  struct Best {
    double score = 0, threshold = 0;
  };
  double mean(double AnsweredRow::*score, double has_answer) const;
  double mean(double AnsweredRow::*score) const;
  double given(double AnsweredRow::*score, const AnsweredRow& row) const;
  Best best(double AnsweredRow::*score) const;

  std::vector<AnsweredRow> rows_;  // by row
  NullAnswers null_answers_;
};

}  // namespace sft
