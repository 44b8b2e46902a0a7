#include "trainer/tasks/question_answering/answer_rows.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace sft {

using nlohmann::ordered_json;

void AnswerRows::add(int64_t row, std::string_view id, const WindowLogits& window, const ContextPiece& piece) {
  if (row != row_) {
    finish();
    row_ = row;
    id_ = id;
  }
  search_.add(window);
  pieces_.push_back({piece.first, std::string(piece.text)});
}

void AnswerRows::finish() {
  if (row_ < 0) return;
  sink_(row_, to_json(search_.finish()));
  row_ = -1;
  pieces_.clear();
}

std::string_view AnswerRows::text_of(const ScoredSpan& span) const {
  for (const Piece& stored : pieces_) {
    const ContextPiece piece{stored.first, stored.text};
    if (piece.holds(span.first, span.end)) return piece.cut(span.first, span.end);
  }
  assert(false);
  return {};
}

// As run_qa.py lists them: the n_best highest, the empty answer among them where it may be given, however low it is.
std::vector<AnswerRows::Candidate> AnswerRows::candidates(const BestSpans& found) const {
  std::vector<Candidate> out;
  for (const ScoredSpan& span : found.spans) out.push_back({text_of(span), span.first, span.end, span.score});
  if (out.empty()) out.push_back({"empty"});
  if (null_answers_.allowed) {
    const auto lower = [&](const Candidate& candidate) { return candidate.score < found.null_score; };
    const Candidate none{"", -1, -1, found.null_score};
    out.insert(std::ranges::find_if(out, lower), none);
    const auto most = std::max<int64_t>(limits_.n_best, 2);
    if (std::ssize(out) > most && out.back().start >= 0) out.pop_back();
  }
  double sum = 0;
  const double highest = std::ranges::max(out, {}, &Candidate::score).score;
  for (Candidate& candidate : out) sum += candidate.probability = std::exp(candidate.score - highest);
  for (Candidate& candidate : out) candidate.probability /= sum;
  return out;
}

std::string AnswerRows::to_json(const BestSpans& found) const {
  const std::vector<Candidate> all = candidates(found);
  const auto is_none = [](const Candidate& candidate) { return candidate.answer.empty(); };
  const Candidate& best = *std::ranges::find_if_not(all, is_none);
  AnsweredWindow scores;
  scores.null_score = found.null_score;
  scores.best_score = best.score;
  const bool gives_none = null_answers_.given(scores);

  ordered_json out{{"id", id_},
                   {"answer", gives_none ? "" : best.answer},
                   {"start", gives_none ? -1 : best.start},
                   {"end", gives_none ? -1 : best.end},
                   {"score", best.score}};
  if (null_answers_.allowed) out["null_score"] = found.null_score;
  out["n_best"] = ordered_json::array();
  for (const Candidate& candidate : all)
    out["n_best"].push_back({{"answer", candidate.answer},
                             {"start", candidate.start},
                             {"end", candidate.end},
                             {"score", candidate.score},
                             {"probability", candidate.probability}});
  return out.dump();
}

}  // namespace sft
