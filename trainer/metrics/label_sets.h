// Scores of a classifier that gives each sample any number of labels, from counts, so that they are exact on any number
// of ranks. Every score is scikit-learn's with zero_division = 0 on indicator matrices: averages over labels run over
// all of them, also over one that never occurs.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace sft {

class LabelSets {
 public:
  // `counts` as add() fills them.
  LabelSets(int64_t num_labels, std::span<const double> counts);

  static size_t num_counts(int64_t num_labels);
  // Counts one sample; `truth` and `guess` have a flag for each label.
  static void add(std::span<const uint8_t> truth, std::span<const uint8_t> guess, std::span<double> counts);

  // f1, precision and recall as macro means; then the same as _micro, _weighted, _samples; accuracy (all labels of a
  // sample right) and hamming_loss.
  nlohmann::ordered_json scores() const;

  // {"per_label": {name: {precision, recall, f1, support, predicted}}, "labels": names}. One name a label.
  nlohmann::ordered_json details(const std::vector<std::string>& names) const;

 private:
  struct Scores {
    double precision = 0, recall = 0, f1 = 0;
  };
  static Scores of(double hits, double predicted, double support);
  Scores of_label(int64_t label) const;
  double hits(int64_t label) const { return counts_[kPerSample + 3 * static_cast<size_t>(label)]; }
  double predicted(int64_t label) const { return counts_[kPerSample + 3 * static_cast<size_t>(label) + 1]; }
  double support(int64_t label) const { return counts_[kPerSample + 3 * static_cast<size_t>(label) + 2]; }

  // Sums over samples in front of three counts a label: hits, predicted, support.
  enum : size_t { kSamples, kPrecision, kRecall, kF1, kExact, kPerSample };
  int64_t num_labels_;
  std::vector<double> counts_;
};

}  // namespace sft
