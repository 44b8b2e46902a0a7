// Metrics under the names that people read. Files keep their keys.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sft {

class MetricWords {
 public:
  MetricWords() = default;  // every metric by its own name
  // `details` of an evaluation tell what was counted: classes of rows, or types of entities.
  // `tells_accuracy`: it is among the metrics that are shown.
  explicit MetricWords(const nlohmann::ordered_json& details, bool tells_accuracy = true);

  // True: it is another metric of the same evaluation once more, as "f1_micro" is "accuracy" where a row has one label.
  bool repeats(const std::string& metric) const;
  // What a metric is a mean of, with a blank in front: " (macro)", of two classes " (of spam)"; "" where its name says
  // all.
  std::string remark(const std::string& metric) const;

 private:
  bool tells_accuracy_ = true, has_one_label_ = false;
  std::string remark_;  // of f1, precision and recall
};

}  // namespace sft
