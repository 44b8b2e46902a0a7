#include "launch/sweep/trial_outcome.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

Evaluations evaluations_of(const std::string& log, const std::string& metric, double sign) {
  Evaluations values;
  const std::string key = json(metric).dump();
  std::istringstream lines(std::filesystem::exists(log) ? read_file(log) : "");
  for (std::string line; std::getline(lines, line);) {
    if (line.find(key) == std::string::npos) continue;
    const json event = json::parse(line, nullptr, false);
    if (!event.is_object() || !event.contains(metric)) continue;
    const json& value = event[metric];
    values.push_back(value.is_number() ? sign * value.get<double>() : std::numeric_limits<double>::quiet_NaN());
  }
  return values;
}

// null where the run has not ended.
json summary_of_ended(const std::string& run_directory) {
  const std::string path = run_directory + "/summary.json";
  if (!std::filesystem::is_regular_file(path)) return {};
  json summary = json::parse(read_file(path), nullptr, false);
  if (!summary.is_object()) return {};
  const std::string reason = summary.value("exit_reason", "");
  return reason == "finished" || reason == "early_stopping" || reason == "pruned" ? summary : json();
}

Measure measure_in(const json& summary) {
  return {summary.value("metric_for_best_model", ""), summary.value("greater_is_better", true)};
}

}  // namespace

std::optional<TrialOutcome> outcome_of(const std::string& run_directory) {
  const json summary = summary_of_ended(run_directory);
  if (summary.is_null()) return {};
  TrialOutcome outcome;
  outcome.end = summary["exit_reason"] == "pruned" ? TrialOutcome::End::pruned : TrialOutcome::End::finished;
  outcome.measure = measure_in(summary);
  const double sign = outcome.measure.greater_is_better ? -1 : 1;
  outcome.evaluations = evaluations_of(run_directory + "/metrics.jsonl", outcome.measure.metric, sign);
  if (outcome.evaluations.empty())
    throw ConfigError(concat(run_directory,
                             " was trained without an evaluation, so it cannot be compared with other "
                             "trials; name data.validation_file or data.validation_split"));
  const auto best = summary.find("best_metric");
  outcome.best = best != summary.end() && best->is_number() ? sign * best->get<double>()
                                                            : std::numeric_limits<double>::quiet_NaN();
  return outcome;
}

std::optional<Measure> measure_of(const std::string& run_directory) {
  const json summary = summary_of_ended(run_directory);
  if (!summary.is_object() || !summary.contains("metric_for_best_model")) return {};
  return measure_in(summary);
}

std::string text_of(const Measure& measure) {
  return concat(measure.metric, measure.greater_is_better ? " (more is better)" : " (less is better)");
}

}  // namespace sft
