#include "trainer/metrics/metric_words.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace sft {

MetricWords::MetricWords(const nlohmann::ordered_json& details, bool tells_accuracy)
    : tells_accuracy_(tells_accuracy) {
  if (!details.is_object()) return;
  const auto labels = details.find("labels");
  const bool are_named = labels != details.end() && labels->is_array();
  has_one_label_ = are_named && details.contains("confusion_matrix");
  if (has_one_label_ && labels->size() == 2 && (*labels)[1].is_string())
    remark_ = concat(" (of ", (*labels)[1].get<std::string>(), ")");
  else if (are_named)
    remark_ = " (macro)";
  else if (details.contains("per_type"))
    remark_ = " (micro)";
}

bool MetricWords::repeats(const std::string& metric) const {
  return tells_accuracy_ && has_one_label_ && metric == "f1_micro";
}

std::string MetricWords::remark(const std::string& metric) const {
  return metric == "f1" || metric == "precision" || metric == "recall" ? remark_ : "";
}

}  // namespace sft
