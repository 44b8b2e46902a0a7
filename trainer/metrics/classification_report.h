// The scores of a classifier under the names that people log them by.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "trainer/metrics/confusion.h"

namespace sft {

// {precision, recall, f1, support}.
nlohmann::ordered_json as_json(const ClassScores& scores);

// accuracy, f1, f1_micro, f1_weighted, precision, recall, mcc, cohen_kappa. Of two classes, f1, precision and recall
// are those of label 1; of more, macro means.
nlohmann::ordered_json classification_scores(const Confusion& confusion);

// {"per_class": {name: {precision, recall, f1, support}}, "macro", "weighted", "labels", "confusion_matrix"}; rows of
// the matrix are the truth. One name a class.
nlohmann::ordered_json classification_details(const Confusion& confusion, const std::vector<std::string>& names);

}  // namespace sft
