// Scores of a single-label classifier from its confusion matrix, so that they are exact on any number of ranks: counts
// are summed, scores are computed once. Every score is scikit-learn's with zero_division = 0; averages run over the
// classes that occur in truth or prediction, which is scikit-learn's default choice of labels.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sft {

struct ClassScores {
  double precision = 0.0;
  double recall = 0.0;
  double f1 = 0.0;
  double support = 0.0;  // true samples of the class
};

class Confusion {
 public:
  // counts[truth · num_classes + prediction].
  Confusion(int64_t num_classes, std::span<const double> counts);

  int64_t num_classes() const { return num_classes_; }
  double count(int64_t truth, int64_t prediction) const;
  double total() const { return total_; }

  double accuracy() const;
  ClassScores of_class(int64_t label) const;  // support 0 and all scores 0 where the class never occurs
  ClassScores macro() const;                  // plain means over the classes
  ClassScores weighted() const;               // means by support
  ClassScores micro() const;                  // from summed counts: for single labels all equal accuracy
  double matthews() const;                    // the correlation coefficient for any number of classes (Gorodkin 2004)
  double kappa() const;                       // agreement beyond chance (Cohen 1960); 0 where chance alone agrees fully

 private:
  bool occurs(int64_t label) const;

  int64_t num_classes_;
  std::vector<double> counts_, truths_, predictions_;  // matrix, its row sums, its column sums
  double total_ = 0.0, correct_ = 0.0;
};

}  // namespace sft
