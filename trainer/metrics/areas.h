// Areas under curves of scores that speak for a label or against it; equal to scikit-learn's, ties included. They need
// every sample's score, so that rows are gathered from all ranks.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sft {

// Whether a list of metrics names one of them.
bool asks_for_areas(std::span<const std::string> metrics);

class Areas {
 public:
  // `rows` as add() fills them; borrowed.
  Areas(int64_t num_labels, std::span<const double> rows);

  // Appends one sample: of each label whether it is true, and its score.
  static void add(std::span<const uint8_t> truth, std::span<const double> scores, std::vector<double>& rows);

  // The mean over the labels that some samples have and others have not; NaN where there is none such.
  double roc_auc() const;
  // The mean over all labels: 1 of one that all samples have, 0 of one that none has; NaN of no samples.
  double average_precision() const;

  nlohmann::ordered_json scores() const;  // roc_auc, average_precision

 private:
  struct Scored {
    double score;
    bool is_true;
  };
  std::vector<Scored> descending(int64_t label) const;
  template <class Area>
  double mean_of(Area area, std::optional<double> (*of_one_kind)(bool)) const;

  int64_t num_labels_;
  std::span<const double> rows_;  // [samples, 2 · num_labels]: truths, then scores
};

}  // namespace sft
