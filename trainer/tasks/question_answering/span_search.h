// The best answers of a question from the logits of its windows, as the example script run_qa.py of transformers finds
// them: candidates are the pairs of the n_best highest starts and the n_best highest ends of a window.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sft {

struct SpanLimits {
  int64_t n_best = 20;             // starts and ends of a window, and answers of a question
  int64_t max_answer_length = 30;  // tokens
};

// A window's logits and, for each token, the characters first … end−1 of the context that it is made of, −1 for tokens
// that are not of the context. Token 0 is <cls>.
struct WindowLogits {
  std::span<const float> start_logits, end_logits;
  std::span<const int32_t> first, end;
};

// Characters first … end−1 of the context.
struct ScoredSpan {
  double score = 0;  // the sum of two logits
  int32_t first = 0, end = 0;
};

// A higher score, then the earlier span, then the shorter one.
bool is_better(const ScoredSpan& a, const ScoredSpan& b);

struct BestSpans {
  std::vector<ScoredSpan>
      spans;              // the best first, n_best at most; of equal scores the earlier, then the shorter; may be none
  double null_score = 0;  // for no answer: the least that a window gives to <cls>
};

// Takes the windows of one question, in any order. A logit that is NaN counts as the least.
class SpanSearch {
 public:
  explicit SpanSearch(const SpanLimits& limits) : limits_(limits) {}

  void add(const WindowLogits& window);
  BestSpans finish();  // and begins with the next question

 private:
  void keep_best();

  SpanLimits limits_;
  bool any_window_ = false;
  BestSpans found_;
};

}  // namespace sft
