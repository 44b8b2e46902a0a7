// The rows of which a model is surest and wrong: wrong labels are among them, and what it has not learned.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trainer/metrics/calibration.h"

namespace sft {

struct Mistake {
  int64_t row = 0;     // of the input
  int64_t target = 0;   // which of the row's targets, in order: a word's tag
  int64_t targets = 1;  // how many there are
  // Labels by id. −1: no label, where one of a set is given that is not there, or is there and not given.
  int64_t truth = -1, guess = -1;
  double score = 0;  // the probability of what was said
};

// At most `most` rows, each with the mistake that has the highest score; the same ones in whatever order, and on
// whatever ranks, the rows are judged.
class SurestMistakes {
 public:
  // `thresholds`, above which a label is given: of sigmoid outputs one a label; of two classes the second's, or none,
  // where the likeliest is given.
  SurestMistakes(size_t most, Squash squash, std::vector<double> thresholds)
      : most_(most), squash_(squash), thresholds_(std::move(thresholds)) {}

  // One target, whose label is the first of the greatest of `truths`, or one set of labels, 0 or 1 each.
  void judge(int64_t row, int64_t target, int64_t targets, std::span<const double> truths,
             std::span<const double> logits);

  const std::vector<Mistake>& found() const { return found_; }  // the highest score first, of equal ones the first row

  // What another rank has found, as bytes.
  std::string to_bytes() const;
  void merge(const std::string& bytes);

  // [{"row", "reference", "label", "score"}], the labels by name or null; with `targets` also "word", from 0, and
  // "of_words".
  nlohmann::ordered_json told(const std::vector<std::string>& names, bool targets) const;

 private:
  void keep(const Mistake& mistake);

  size_t most_;
  Squash squash_;
  std::vector<double> thresholds_;
  std::vector<Mistake> found_;
};

}  // namespace sft
