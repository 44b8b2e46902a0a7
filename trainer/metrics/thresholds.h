// The probability above which a label is given, chosen on samples whose labels are known.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sft {

struct ScoredSample {
  double probability = 0;
  bool is_true = false;
};

// The threshold of the most f1, or balanced_accuracy (the mean of both classes' recalls), of a label that is given
// where its probability is above it: half way between two neighbouring probabilities; of thresholds that do equally
// well the one nearest to 0.5. The order of samples does not matter. Nothing where no sample, or each, has the label.
std::optional<double> best_threshold(const std::string& score, std::vector<ScoredSample> samples);

}  // namespace sft
