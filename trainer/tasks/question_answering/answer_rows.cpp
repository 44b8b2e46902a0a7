#include "trainer/tasks/question_answering/answer_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct Candidate {
  std::string answer = "";  // "": none
  ScoredSpan span = {};
  double probability = 0;
};

struct Candidates {
  std::string id;
  std::vector<Candidate> spans;  // the best first
  double null_score = std::numeric_limits<double>::infinity();
};

Candidates joined(const std::vector<std::string>& windows, const SpanLimits& limits) {
  Candidates all;
  for (const std::string& text : windows) {
    const json window = json::parse(text);
    all.id = window["id"];
    all.null_score = std::min(all.null_score, window["null_score"].get<double>());
    for (const json& span : window["spans"]) all.spans.push_back({span[0], {span[1], span[2], span[3]}});
  }
  std::ranges::stable_sort(all.spans, is_better, &Candidate::span);
  if (std::ssize(all.spans) > limits.n_best) all.spans.resize(static_cast<size_t>(limits.n_best));
  return all;
}

// As run_qa.py lists them: the n_best highest, the empty answer among them where it may be given, however low it is.
std::vector<Candidate> listed(const Candidates& found, const SpanLimits& limits, const NullAnswers& null_answers) {
  std::vector<Candidate> out = found.spans;
  if (out.empty()) out.push_back({"empty", {0, -1, -1}});
  if (null_answers.allowed) {
    const auto lower = [&](const Candidate& candidate) { return candidate.span.score < found.null_score; };
    out.insert(std::ranges::find_if(out, lower), Candidate{"", {found.null_score, -1, -1}});
    const auto most = std::max<int64_t>(limits.n_best, 2);
    if (std::ssize(out) > most && !out.back().answer.empty()) out.pop_back();
  }
  double sum = 0, highest = -std::numeric_limits<double>::infinity();
  for (const Candidate& candidate : out) highest = std::max(highest, candidate.span.score);
  for (Candidate& candidate : out) sum += candidate.probability = std::exp(candidate.span.score - highest);
  for (Candidate& candidate : out) candidate.probability /= sum;
  return out;
}

ordered_json in_json(const std::string& answer, const ScoredSpan& span) {
  return {{"answer", answer}, {"start", span.first}, {"end", span.end}, {"score", span.score}};
}

}  // namespace

std::string window_prediction(std::string_view id, const BestSpans& found, const ContextPiece& piece) {
  json out = {{"id", id}, {"null_score", found.null_score}, {"spans", json::array()}};
  for (const ScoredSpan& span : found.spans)
    out["spans"].push_back({piece.cut(span.first, span.end), span.score, span.first, span.end});
  return out.dump();
}

std::string question_prediction(const std::vector<std::string>& windows, const SpanLimits& limits,
                                const NullAnswers& null_answers) {
  const Candidates found = joined(windows, limits);
  const std::vector<Candidate> all = listed(found, limits, null_answers);
  const auto is_none = [](const Candidate& candidate) { return candidate.answer.empty(); };
  const Candidate& best = *std::ranges::find_if_not(all, is_none);
  AnsweredWindow scores;
  scores.null_score = found.null_score;
  scores.best_score = best.span.score;
  const bool gives_none = null_answers.given(scores);

  ordered_json out{{"id", found.id}};
  out.update(gives_none ? in_json("", {best.span.score, -1, -1}) : in_json(best.answer, best.span));
  if (null_answers.allowed) out["null_score"] = found.null_score;
  out["n_best"] = ordered_json::array();
  for (const Candidate& candidate : all) {
    out["n_best"].push_back(in_json(candidate.answer, candidate.span));
    out["n_best"].back()["probability"] = candidate.probability;
  }
  return out.dump();
}

}  // namespace sft
