// Scores of a class for each pixel, by the names of Hugging Face's mean_iou.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "trainer/metrics/confusion.h"

namespace sft {

// mean_iou: of the intersections over unions of the classes that occur in truth or prediction; overall_accuracy: of all
// pixels; mean_accuracy: of the shares found of the classes that occur in truth.
nlohmann::ordered_json segmentation_scores(const Confusion& confusion);

// {"per_class": {name: {iou, accuracy, support}}, "labels", "confusion_matrix"}; rows of the matrix are the truth. null
// where a class does not occur. One name a class.
nlohmann::ordered_json segmentation_details(const Confusion& confusion, const std::vector<std::string>& names);

}  // namespace sft
