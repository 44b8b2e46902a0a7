#include "trainer/metrics/segmentation_scores.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "trainer/metrics/mean.h"

namespace sft {
namespace {

struct OfClass {
  double both = 0, truth = 0, predicted = 0;  // pixels

  double iou() const { return mean_of(both, truth + predicted - both); }
  double accuracy() const { return mean_of(both, truth); }
};

OfClass of_class(const Confusion& confusion, int64_t label) {
  OfClass of{.both = confusion.count(label, label)};
  for (int64_t other = 0; other < confusion.num_classes(); ++other) {
    of.truth += confusion.count(label, other);
    of.predicted += confusion.count(other, label);
  }
  return of;
}

// A number, or null.
nlohmann::ordered_json told(double value) {
  return std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
}

}  // namespace

nlohmann::ordered_json segmentation_scores(const Confusion& confusion) {
  double ious = 0, accuracies = 0, both = 0, num_ious = 0, num_accuracies = 0;
  for (int64_t label = 0; label < confusion.num_classes(); ++label) {
    const OfClass of = of_class(confusion, label);
    both += of.both;
    if (of.truth + of.predicted > 0) ious += of.iou(), num_ious += 1;
    if (of.truth > 0) accuracies += of.accuracy(), num_accuracies += 1;
  }
  return {{"mean_iou", mean_of(ious, num_ious)},
          {"overall_accuracy", mean_of(both, confusion.total())},
          {"mean_accuracy", mean_of(accuracies, num_accuracies)}};
}

nlohmann::ordered_json segmentation_details(const Confusion& confusion, const std::vector<std::string>& names) {
  nlohmann::ordered_json per_class = nlohmann::ordered_json::object(), matrix = nlohmann::ordered_json::array();
  for (int64_t label = 0; label < confusion.num_classes(); ++label) {
    const OfClass of = of_class(confusion, label);
    per_class[names[static_cast<size_t>(label)]] = {
        {"iou", told(of.iou())}, {"accuracy", told(of.accuracy())}, {"support", of.truth}};
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (int64_t other = 0; other < confusion.num_classes(); ++other)
      row.push_back(static_cast<int64_t>(confusion.count(label, other)));
    matrix.push_back(std::move(row));
  }
  return {{"per_class", std::move(per_class)}, {"labels", names}, {"confusion_matrix", std::move(matrix)}};
}

}  // namespace sft
