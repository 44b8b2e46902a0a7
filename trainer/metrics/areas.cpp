#include "trainer/metrics/areas.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace sft {

bool asks_for_areas(std::span<const std::string> metrics) {
  return std::any_of(metrics.begin(), metrics.end(),
                     [](const std::string& name) { return name == "roc_auc" || name == "average_precision"; });
}

Areas::Areas(int64_t num_labels, std::span<const double> rows) : num_labels_(num_labels), rows_(rows) {
  assert(rows.size() % (2 * static_cast<size_t>(num_labels)) == 0);
}

void Areas::add(std::span<const uint8_t> truth, std::span<const double> scores, std::vector<double>& rows) {
  assert(truth.size() == scores.size());
  rows.insert(rows.end(), truth.begin(), truth.end());
  rows.insert(rows.end(), scores.begin(), scores.end());
}

std::vector<Areas::Scored> Areas::descending(int64_t label) const {
  const auto stride = 2 * static_cast<size_t>(num_labels_), place = static_cast<size_t>(label);
  std::vector<Scored> samples;
  for (size_t row = 0; row < rows_.size(); row += stride)
    samples.push_back({rows_[row + static_cast<size_t>(num_labels_) + place], rows_[row + place] != 0});
  std::sort(samples.begin(), samples.end(), [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return samples;
}

// `area` sees the counts of true and false samples above each threshold, one step a distinct score. `of_one_kind`: of a
// label that all samples have or none has, by whether they have it; nothing leaves such a label out.
template <class Area>
double Areas::mean_of(Area area, std::optional<double> (*of_one_kind)(bool)) const {
  if (!std::ranges::all_of(rows_, [](double value) { return std::isfinite(value); }))  // they have no order
    return std::numeric_limits<double>::quiet_NaN();
  double sum = 0, labels = 0;
  for (int64_t label = 0; label < num_labels_; ++label) {
    const std::vector<Scored> samples = descending(label);
    const auto num_true =
        static_cast<double>(std::count_if(samples.begin(), samples.end(), [](const Scored& s) { return s.is_true; }));
    const double num_false = static_cast<double>(samples.size()) - num_true;
    if (num_true == 0 || num_false == 0) {
      const std::optional<double> known = samples.empty() ? std::nullopt : of_one_kind(num_true > 0);
      sum += known.value_or(0);
      labels += known.has_value();
      continue;
    }
    double trues = 0, falses = 0;
    for (size_t i = 0; i < samples.size();) {
      const double trues_before = trues, falses_before = falses, score = samples[i].score;
      for (; i < samples.size() && samples[i].score == score; ++i) (samples[i].is_true ? trues : falses) += 1;
      sum += area(trues_before / num_true, trues / num_true, (falses - falses_before) / num_false,
                  trues / (trues + falses));
    }
    labels += 1;
  }
  return labels > 0 ? sum / labels : std::numeric_limits<double>::quiet_NaN();
}

// Trapezoids over the false positive rate.
double Areas::roc_auc() const {
  return mean_of(
      [](double recall_before, double recall, double width, double) { return width * (recall_before + recall) / 2; },
      [](bool) -> std::optional<double> { return {}; });
}

// Steps of the recall, each at the precision that it leaves.
double Areas::average_precision() const {
  return mean_of(
      [](double before, double recall, double, double precision) { return (recall - before) * precision; },
      [](bool all_have_it) -> std::optional<double> { return all_have_it ? 1.0 : 0.0; });
}

nlohmann::ordered_json Areas::scores() const {
  return {{"roc_auc", roc_auc()}, {"average_precision", average_precision()}};
}

}  // namespace sft
