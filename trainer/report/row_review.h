// Where a classifier errs: its predictions for the test file beside the file's own texts and labels.
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

struct Mistake {
  int64_t line = 0;  // of the test file
  std::string file;
  std::string text;
  std::string truth, guess;
  double score = 0;
};

struct RowReview {
  int64_t rows = 0;
  std::vector<Bin> by_length = {};   // characters of the text, in bins of about equally many rows
  std::vector<Bin> by_score = {};    // the score of the predicted class
  std::vector<Mistake> surest = {};  // the mistakes of the highest scores, highest first
  std::string why_absent = {};       // why there is none of this; "" where there is, or where it was not to be expected
};

// Reads predictions.jsonl and the test file together. Never throws: where they are not there or do not fit each other
// or the summary's accuracy, the review is empty.
RowReview review_rows(const RunRecord& record);

}  // namespace sft
