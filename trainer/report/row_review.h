// Where a classifier errs: its predictions for the test rows beside their texts and labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/report/run_record.h"

namespace sft {

struct Bin {
  std::string name;  // "12–25"
  int64_t rows = 0;
  int64_t right = 0;
};

struct ExplainedWord {
  std::string word;
  double score = 0;  // how much it speaks for the guess
};

struct Mistake {
  std::string place;  // "test.jsonl:12"
  std::string text;   // its beginning
  std::string truth, guess;
  double score = 0;
  std::vector<ExplainedWord> words = {};  // of eval.explain; none: not explained
};

struct RowReview {
  int64_t rows = 0;
  std::vector<Bin> by_length = {};   // characters of the text, in bins of about equally many rows
  std::vector<Bin> by_score = {};    // the score of the predicted class
  std::vector<Mistake> surest = {};  // the mistakes of the highest scores, highest first
  std::string why_absent = {};       // why there is none of this; "" where there is, or where it was not to be expected
};

// Reads predictions.jsonl, which has texts and labels where the test rows were prepared with notes. Never throws: where
// it is not there, has none or does not fit the summary's accuracy, the review is empty.
RowReview review_rows(const RunRecord& record);

}  // namespace sft
