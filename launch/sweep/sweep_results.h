// What each trial of a sweep has come to, the best of them, and how far seeds move it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "launch/sweep/sweep_plan.h"
#include "trainer/metrics/metric_words.h"

namespace sft {

struct TrialResult {
  std::string name;
  std::vector<std::string> values;  // of the plan's parameters, as TOML
  nlohmann::ordered_json facts;     // exit_reason, global_step, best_metric, eval_* and test_*; flat
  bool leaves_best = true;          // model/ is of the evaluation that gave best_metric
};

// Of equal settings but for `seed` and `data.fold`.
struct Spread {
  std::vector<std::string> values;  // of the plan's other parameters
  int64_t runs = 0;
  struct Metric {
    std::string name;
    double mean = 0;
    double deviation = 0;  // of the sample, by runs - 1
  };
  std::vector<Metric> metrics;  // those that each of the trials has
};

class SweepResults {
 public:
  // Reads <directory>/<trial>/summary.json of each trial that ended with 0; `codes` are those of the plan's trials. One
  // that was refused or failed has no numbers here: those in its directory may be of other settings.
  SweepResults(const SweepPlan& plan, const std::vector<ExitCode>& codes, const std::string& directory);

  const std::vector<std::string>& parameters() const { return parameters_; }
  const std::vector<TrialResult>& trials() const { return trials_; }  // in the order of the plan

  // "eval_accuracy", by which the trials chose their best model; "" where none has any, or not all the same.
  const std::string& metric() const { return metric_; }
  // Numbers of trials, the best first, those without a metric last; in the order of the plan where metric() is "".
  std::vector<size_t> ranking() const;

  // How people are told the trials' metrics.
  const MetricWords& words() const { return words_; }

  // Which of `seed` and `data.fold` are varied.
  std::vector<std::string> repeats() const;
  // Where one is: of each combination of the others that was trained two times or more.
  std::vector<Spread> spreads() const;

 private:
  std::vector<std::string> parameters_;
  std::vector<TrialResult> trials_;
  std::string metric_;
  bool greater_is_better_ = true;
  MetricWords words_;
};

}  // namespace sft
