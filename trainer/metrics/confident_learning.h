// Which labels are likely wrong, from out-of-sample probabilities: confident learning (Northcutt, Jiang and Chuang,
// 2021), with the choices of cleanlab's find_label_issues(filter_by = "prune_by_noise_rate").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sft {

// probabilities[i · num_classes + k] of row i, whose label is labels[i].
struct LabelledProbabilities {
  int64_t num_classes = 0;
  std::vector<double> probabilities = {};
  std::vector<int64_t> labels = {};  // 0 … num_classes − 1

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  double at(int64_t row, int64_t label) const { return probabilities[static_cast<size_t>(row * num_classes + label)]; }
  int64_t likeliest(int64_t row) const;  // the first of the largest
  // The probability of the given label, cleanlab's get_label_quality_scores(method = "self_confidence").
  double self_confidence(int64_t row) const { return at(row, labels[static_cast<size_t>(row)]); }
  // That less the largest of another label; (1 + margin) / 2 is cleanlab's "normalized_margin".
  double margin(int64_t row) const;
};

// The rows whose label is likely wrong, by rising self-confidence; of equal ones the first comes first. A row is
// counted as truly j where its probability of j reaches the mean of those that are labelled j; of each pair of a given
// label and another one, as many rows as were counted, those of the largest margin, are taken; rows whose label is the
// likeliest are not.
std::vector<int64_t> find_label_issues(const LabelledProbabilities& rows);

// cleanlab's compute_confident_joint: counts[given · K + likely true], each row scaled to the count of its given label.
std::vector<int64_t> confident_joint(const LabelledProbabilities& rows);

}  // namespace sft
