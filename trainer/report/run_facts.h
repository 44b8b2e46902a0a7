// The numbers of a run that matter, for the page and for the terminal.
#pragma once

#include <string>
#include <vector>

#include "trainer/metrics/metric_words.h"
#include "trainer/report/run_record.h"

namespace sft {

struct Fact {
  std::string name;   // "accuracy"
  std::string value;  // "0.6382"
  std::string note;   // "test, 2,048 rows"
};

// Of the test set where there is one, else of the last evaluation: its first scores, its loss, the best checkpoint, and
// the accuracy of the most frequent class.
std::vector<Fact> results_of(const RunRecord& record);

// Rows, batch and rate, updates, time, speed, ranks, memory.
std::vector<Fact> circumstances_of(const RunRecord& record);

// How people are told the run's metrics.
MetricWords words_of(const RunRecord& record);

// Every metric but those that repeat another, one name on several splits: {"accuracy", {"test", 0.64}, {"last
// validation", 0.63}}.
struct MetricRow {
  std::string name;
  nlohmann::ordered_json test, validation;  // null where it was not measured
};
std::vector<MetricRow> metrics_of(const RunRecord& record);

// The details of the test set's evaluation, else of the last one; null where there are none.
struct Details {
  std::string split;
  nlohmann::ordered_json values;
};
Details details_of(const RunRecord& record);

}  // namespace sft
