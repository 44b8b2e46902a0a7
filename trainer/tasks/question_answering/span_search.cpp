#include "trainer/tasks/question_answering/span_search.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace sft {
namespace {

constexpr float kMost = std::numeric_limits<float>::max();

// So that all scores can be compared.
double finite(float logit) { return std::isnan(logit) ? -kMost : std::clamp(logit, -kMost, kMost); }

// The places of the highest logits, of equal ones the first.
std::vector<size_t> highest(std::span<const float> logits, int64_t count) {
  std::vector<size_t> places(logits.size());
  std::iota(places.begin(), places.end(), size_t{0});
  const auto middle = places.begin() + std::min<int64_t>(count, std::ssize(places));
  std::partial_sort(places.begin(), middle, places.end(), [&](size_t a, size_t b) {
    return std::pair(-finite(logits[a]), a) < std::pair(-finite(logits[b]), b);
  });
  places.erase(middle, places.end());
  return places;
}

}  // namespace

bool is_better(const ScoredSpan& a, const ScoredSpan& b) {
  if (a.score != b.score) return a.score > b.score;
  return std::pair(a.first, a.end) < std::pair(b.first, b.end);
}

void SpanSearch::add(const WindowLogits& window) {
  assert(!window.start_logits.empty() && window.start_logits.size() == window.end_logits.size());
  assert(window.first.size() == window.start_logits.size() && window.end.size() == window.start_logits.size());
  const auto score = [&](size_t start, size_t end) {
    return finite(window.start_logits[start]) + finite(window.end_logits[end]);
  };
  const double null_score = score(0, 0);
  found_.null_score = std::exchange(any_window_, true) ? std::min(found_.null_score, null_score) : null_score;

  const auto starts = highest(window.start_logits, limits_.n_best), ends = highest(window.end_logits, limits_.n_best);
  for (const size_t start : starts) {
    for (const size_t end : ends) {
      if (window.first[start] < 0 || window.first[end] < 0) continue;
      if (end < start || static_cast<int64_t>(end - start) >= limits_.max_answer_length) continue;
      if (window.end[end] <= window.first[start]) continue;  // tokens without a character
      found_.spans.push_back({score(start, end), window.first[start], window.end[end]});
    }
  }
  keep_best();
}

void SpanSearch::keep_best() {
  const auto middle = found_.spans.begin() + std::min<int64_t>(limits_.n_best, std::ssize(found_.spans));
  std::partial_sort(found_.spans.begin(), middle, found_.spans.end(), is_better);
  found_.spans.erase(middle, found_.spans.end());
}

BestSpans SpanSearch::finish() {
  any_window_ = false;
  return std::exchange(found_, {});
}

}  // namespace sft
