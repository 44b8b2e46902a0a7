#include "trainer/metrics/classification_report.h"

#include <cassert>
#include <nlohmann/json.hpp>

namespace sft {

nlohmann::ordered_json as_json(const ClassScores& scores) {
  return {{"precision", scores.precision},
          {"recall", scores.recall},
          {"f1", scores.f1},
          {"support", static_cast<int64_t>(scores.support)}};
}

nlohmann::ordered_json classification_scores(const Confusion& confusion) {
  const ClassScores main = confusion.num_classes() == 2 ? confusion.of_class(1) : confusion.macro();
  return {{"accuracy", confusion.accuracy()}, {"f1", main.f1},
          {"f1_micro", confusion.micro().f1}, {"f1_weighted", confusion.weighted().f1},
          {"precision", main.precision},      {"recall", main.recall},
          {"mcc", confusion.matthews()},      {"cohen_kappa", confusion.kappa()}};
}

nlohmann::ordered_json classification_details(const Confusion& confusion, const std::vector<std::string>& names) {
  assert(static_cast<int64_t>(names.size()) == confusion.num_classes());
  auto per_class = nlohmann::ordered_json::object();
  auto matrix = nlohmann::ordered_json::array();
  for (int64_t truth = 0; truth < confusion.num_classes(); ++truth) {
    per_class[names[static_cast<size_t>(truth)]] = as_json(confusion.of_class(truth));
    auto row = nlohmann::ordered_json::array();
    for (int64_t prediction = 0; prediction < confusion.num_classes(); ++prediction) {
      row.push_back(static_cast<int64_t>(confusion.count(truth, prediction)));
    }
    matrix.push_back(std::move(row));
  }
  return {{"per_class", std::move(per_class)},
          {"macro", as_json(confusion.macro())},
          {"weighted", as_json(confusion.weighted())},
          {"labels", names},
          {"confusion_matrix", std::move(matrix)}};
}

}  // namespace sft
