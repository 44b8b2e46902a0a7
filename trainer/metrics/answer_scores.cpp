#include "trainer/metrics/answer_scores.h"

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

void join(AnsweredWindow& question, const AnsweredWindow& window) {
  const double null_score = std::min(question.null_score, window.null_score);
  if (window.best_score > question.best_score) question = window;
  question.null_score = null_score;
}

}  // namespace

void AnsweredWindow::append_to(std::vector<double>& rows) const {
  rows.insert(rows.end(), {row, has_answer, null_score, best_score, exact, f1, empty_exact, empty_f1});
}

AnswerScores::AnswerScores(std::span<const double> numbers, const NullAnswers& null_answers)
    : null_answers_(null_answers) {
  assert(numbers.size() % AnsweredWindow::kNumbers == 0);
  std::vector<AnsweredWindow> windows;
  for (size_t i = 0; i < numbers.size(); i += AnsweredWindow::kNumbers)
    windows.push_back({numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3], numbers[i + 4], numbers[i + 5],
                       numbers[i + 6], numbers[i + 7]});
  std::stable_sort(windows.begin(), windows.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
  for (const AnsweredWindow& window : windows) {
    if (rows_.empty() || rows_.back().row != window.row) {
      rows_.push_back(window);
    } else {
      join(rows_.back(), window);
    }
  }
  for (AnsweredWindow& row : rows_)
    if (row.best_score == AnsweredWindow::kNoAnswer) row.best_score = 0;
}

double AnswerScores::given(double AnsweredWindow::*score, const AnsweredWindow& row) const {
  if (!null_answers_.given(row)) return row.*score;
  return score == &AnsweredWindow::exact ? row.empty_exact : row.empty_f1;
}

double AnswerScores::mean(double AnsweredWindow::*score) const {
  double sum = 0;
  for (const AnsweredWindow& row : rows_) sum += given(score, row);
  return rows_.empty() ? 0 : sum / static_cast<double>(rows_.size());
}

double AnswerScores::mean(double AnsweredWindow::*score, double has_answer) const {
  double sum = 0, count = 0;
  for (const AnsweredWindow& row : rows_) {
    if (row.has_answer != has_answer) continue;
    sum += given(score, row);
    count += 1;
  }
  return count == 0 ? 0 : sum / count;
}

// SQuAD's find_best_thresh: at first no question is answered; then those are whose null score is the least above the
// best answer's, one after another.
AnswerScores::Best AnswerScores::best(double AnsweredWindow::*score) const {
  std::vector<AnsweredWindow> rows = rows_;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.null_minus_best() < b.null_minus_best(); });
  double now = 0;
  for (const AnsweredWindow& row : rows) now += 1 - row.has_answer;
  Best best{now, 0};
  for (const AnsweredWindow& row : rows) {
    now += row.has_answer != 0 ? row.*score : -1;
    if (now > best.score) best = {now, row.null_minus_best()};
  }
  best.score = rows.empty() ? 0 : best.score / static_cast<double>(rows.size());
  return best;
}

nlohmann::ordered_json AnswerScores::scores() const {
  nlohmann::ordered_json out;
  out["exact_match"] = mean(&AnsweredWindow::exact);
  out["f1"] = mean(&AnsweredWindow::f1);
  if (!null_answers_.allowed) return out;
  out["has_answer_exact_match"] = mean(&AnsweredWindow::exact, 1);
  out["has_answer_f1"] = mean(&AnsweredWindow::f1, 1);
  out["no_answer_f1"] = mean(&AnsweredWindow::f1, 0);
  const Best exact = best(&AnsweredWindow::exact), f1 = best(&AnsweredWindow::f1);
  out["best_exact_match"] = exact.score;
  out["best_exact_match_threshold"] = exact.threshold;
  out["best_f1"] = f1.score;
  out["best_f1_threshold"] = f1.threshold;
  return out;
}

}  // namespace sft
