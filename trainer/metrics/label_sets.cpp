#include "trainer/metrics/label_sets.h"

#include <cassert>
#include <nlohmann/json.hpp>

#include "trainer/metrics/ratio.h"

namespace sft {

LabelSets::LabelSets(int64_t num_labels, std::span<const double> counts)
    : num_labels_(num_labels), counts_(counts.begin(), counts.end()) {
  assert(counts.size() == num_counts(num_labels));
}

size_t LabelSets::num_counts(int64_t num_labels) { return kPerSample + 3 * static_cast<size_t>(num_labels); }

LabelSets::Scores LabelSets::of(double hits, double predicted, double support) {
  return {ratio(hits, predicted), ratio(hits, support), ratio(2.0 * hits, predicted + support)};
}

LabelSets::Scores LabelSets::of_label(int64_t label) const { return of(hits(label), predicted(label), support(label)); }

void LabelSets::add(std::span<const uint8_t> truth, std::span<const uint8_t> guess, std::span<double> counts) {
  assert(truth.size() == guess.size() && counts.size() == num_counts(static_cast<int64_t>(truth.size())));
  double hits = 0, predicted = 0, support = 0;
  bool exact = true;
  for (size_t label = 0; label < truth.size(); ++label) {
    double* of_label = &counts[kPerSample + 3 * label];
    of_label[0] += truth[label] & guess[label];
    of_label[1] += guess[label];
    of_label[2] += truth[label];
    hits += truth[label] & guess[label];
    predicted += guess[label];
    support += truth[label];
    exact = exact && truth[label] == guess[label];
  }
  const Scores scores = of(hits, predicted, support);
  counts[kSamples] += 1;
  counts[kPrecision] += scores.precision;
  counts[kRecall] += scores.recall;
  counts[kF1] += scores.f1;
  counts[kExact] += exact;
}

nlohmann::ordered_json LabelSets::scores() const {
  Scores macro, weighted;
  double all_hits = 0, all_predicted = 0, all_support = 0;
  for (int64_t label = 0; label < num_labels_; ++label) {
    const Scores scores = of_label(label);
    macro.precision += scores.precision;
    macro.recall += scores.recall;
    macro.f1 += scores.f1;
    weighted.precision += scores.precision * support(label);
    weighted.recall += scores.recall * support(label);
    weighted.f1 += scores.f1 * support(label);
    all_hits += hits(label);
    all_predicted += predicted(label);
    all_support += support(label);
  }
  const auto labels = static_cast<double>(num_labels_);
  const double samples = counts_[kSamples];
  const Scores micro = of(all_hits, all_predicted, all_support);
  const double wrong = all_predicted + all_support - 2.0 * all_hits;
  return {{"f1", ratio(macro.f1, labels)},
          {"f1_micro", micro.f1},
          {"f1_weighted", ratio(weighted.f1, all_support)},
          {"f1_samples", ratio(counts_[kF1], samples)},
          {"precision", ratio(macro.precision, labels)},
          {"precision_micro", micro.precision},
          {"precision_weighted", ratio(weighted.precision, all_support)},
          {"precision_samples", ratio(counts_[kPrecision], samples)},
          {"recall", ratio(macro.recall, labels)},
          {"recall_micro", micro.recall},
          {"recall_weighted", ratio(weighted.recall, all_support)},
          {"recall_samples", ratio(counts_[kRecall], samples)},
          {"accuracy", ratio(counts_[kExact], samples)},
          {"hamming_loss", ratio(wrong, samples * labels)}};
}

nlohmann::ordered_json LabelSets::details(const std::vector<std::string>& names) const {
  assert(static_cast<int64_t>(names.size()) == num_labels_);
  auto per_label = nlohmann::ordered_json::object();
  for (int64_t label = 0; label < num_labels_; ++label) {
    const Scores scores = of_label(label);
    per_label[names[static_cast<size_t>(label)]] = {{"precision", scores.precision},
                                                    {"recall", scores.recall},
                                                    {"f1", scores.f1},
                                                    {"support", static_cast<int64_t>(support(label))},
                                                    {"predicted", static_cast<int64_t>(predicted(label))}};
  }
  return {{"per_label", std::move(per_label)}, {"labels", names}};
}

}  // namespace sft
