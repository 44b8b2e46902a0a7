#include "trainer/metrics/confusion.h"

#include <cassert>
#include <cmath>
#include <limits>

#include "trainer/metrics/ratio.h"

namespace sft {

Confusion::Confusion(int64_t num_classes, std::span<const double> counts)
    : num_classes_(num_classes),
      counts_(counts.begin(), counts.end()),
      truths_(static_cast<size_t>(num_classes)),
      predictions_(static_cast<size_t>(num_classes)) {
  assert(static_cast<int64_t>(counts.size()) == num_classes * num_classes);
  for (int64_t truth = 0; truth < num_classes; ++truth) {
    for (int64_t prediction = 0; prediction < num_classes; ++prediction) {
      const double n = count(truth, prediction);
      truths_[static_cast<size_t>(truth)] += n;
      predictions_[static_cast<size_t>(prediction)] += n;
      total_ += n;
      if (truth == prediction) correct_ += n;
    }
  }
}

double Confusion::count(int64_t truth, int64_t prediction) const {
  return counts_[static_cast<size_t>(truth * num_classes_ + prediction)];
}

double Confusion::accuracy() const { return ratio(correct_, total_); }

ClassScores Confusion::of_class(int64_t label) const {
  const auto place = static_cast<size_t>(label);
  const double hits = count(label, label);
  return {.precision = ratio(hits, predictions_[place]),
          .recall = ratio(hits, truths_[place]),
          .f1 = ratio(2.0 * hits, predictions_[place] + truths_[place]),
          .support = truths_[place]};
}

bool Confusion::occurs(int64_t label) const {
  return truths_[static_cast<size_t>(label)] + predictions_[static_cast<size_t>(label)] > 0.0;
}

ClassScores Confusion::macro() const {
  ClassScores mean;
  double num_occurring = 0.0;
  for (int64_t label = 0; label < num_classes_; ++label) {
    if (!occurs(label)) continue;
    const ClassScores scores = of_class(label);
    mean.precision += scores.precision;
    mean.recall += scores.recall;
    mean.f1 += scores.f1;
    num_occurring += 1.0;
  }
  return {ratio(mean.precision, num_occurring), ratio(mean.recall, num_occurring), ratio(mean.f1, num_occurring),
          total_};
}

ClassScores Confusion::weighted() const {
  ClassScores mean;
  for (int64_t label = 0; label < num_classes_; ++label) {
    const ClassScores scores = of_class(label);
    mean.precision += scores.precision * scores.support;
    mean.recall += scores.recall * scores.support;
    mean.f1 += scores.f1 * scores.support;
  }
  return {ratio(mean.precision, total_), ratio(mean.recall, total_), ratio(mean.f1, total_), total_};
}

ClassScores Confusion::micro() const { return {accuracy(), accuracy(), accuracy(), total_}; }

double Confusion::kappa() const {
  double by_chance = 0.0;
  for (size_t label = 0; label < truths_.size(); ++label) by_chance += truths_[label] * predictions_[label];
  const double possible = total_ * total_ - by_chance;  // 0: one class alone is true and predicted
  return possible == 0 ? std::numeric_limits<double>::quiet_NaN() : (correct_ * total_ - by_chance) / possible;
}

double Confusion::matthews() const {
  double truth_by_prediction = 0.0, truth_by_truth = 0.0, prediction_by_prediction = 0.0;
  for (size_t label = 0; label < truths_.size(); ++label) {
    truth_by_prediction += truths_[label] * predictions_[label];
    truth_by_truth += truths_[label] * truths_[label];
    prediction_by_prediction += predictions_[label] * predictions_[label];
  }
  const double covariance = correct_ * total_ - truth_by_prediction;
  const double spread = (total_ * total_ - prediction_by_prediction) * (total_ * total_ - truth_by_truth);
  return ratio(covariance, std::sqrt(spread));
}

}  // namespace sft
