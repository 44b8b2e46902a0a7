#include "launch/sweep/sweep_folder.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file_ops.h"
#include "base/random.h"
#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr uint64_t kMostAttempts = 200;  // to propose settings that were not tried

std::string identity_of(const SweepPlan& plan) {
  json identity{{"seed", plan.seed},
                {"startup", plan.num_startup_trials},
                {"round", plan.trials_per_round},
                {"parameters", plan.parameters}};
  if (plan.pruning) identity["pruning"] = {plan.pruning->reduction_factor, plan.pruning->min_evaluations};
  for (const Dimension& dimension : plan.searched) {
    const SearchAxis axis = dimension.axis();
    identity["axes"].push_back({axis.low, axis.high, axis.choices, dimension.drawn(0), dimension.drawn(0.999)});
    for (int64_t choice = 0; choice < axis.choices; ++choice)
      identity["axes"].push_back(dimension.value(static_cast<double>(choice)));
  }
  char hash[24];
  std::snprintf(hash, sizeof hash, "%016" PRIx64, derive_key(0, identity.dump()));
  return hash;
}

json json_of(const AskedMeasure& asked) {
  return {asked.metric, asked.greater_is_better ? json(*asked.greater_is_better) : json()};
}

AskedMeasure asked_in(const json& written) {
  return {written.at(0).get<std::string>(),
          written.at(1).is_boolean() ? std::optional(written.at(1).get<bool>()) : std::nullopt};
}

std::string without_part(const std::string& metric) { return metric.starts_with("eval_") ? metric.substr(5) : metric; }

// Whether runs that are asked so may choose by `measure`.
bool may_be(const AskedMeasure& asked, const Measure& measure) {
  return (asked.metric.empty() || without_part(asked.metric) == without_part(measure.metric)) &&
         asked.greater_is_better.value_or(measure.greater_is_better) == measure.greater_is_better;
}

std::string text_of(const AskedMeasure& asked, const Measure& other) {
  if (asked == AskedMeasure{}) return "what its task has (no eval.metric_for_best_model is set)";
  if (!asked.greater_is_better) return "eval_" + without_part(asked.metric);
  return text_of(
      Measure{asked.metric.empty() ? other.metric : "eval_" + without_part(asked.metric), *asked.greater_is_better});
}

[[noreturn]] void refuse_measure(const std::string& trial, const Measure& of_trial, const std::string& now) {
  throw ConfigError(concat(trial, " was compared by ", text_of(of_trial), ", and this sweep compares by ", now,
                           ": proposals and prunings would follow from both. To go on, set "
                           "eval.metric_for_best_model = \"",
                           without_part(of_trial.metric),
                           "\" and eval.greater_is_better = ", of_trial.greater_is_better ? "true" : "false",
                           "; for the other metric name another output_dir"));
}

}  // namespace

bool settles(ExitCode code) {
  return code == ExitCode::done || code == ExitCode::config || code == ExitCode::bad_content ||
         code == ExitCode::not_finite || code == ExitCode::out_of_memory;
}

struct SweepFolder::Record {
  Trial trial;
  std::optional<ExitCode> code;  // once it has ended
  std::optional<AskedMeasure> asked = {};
};

SweepFolder::SweepFolder(std::string directory, SweepPlan plan)
    : directory_(std::move(directory)), plan_(std::move(plan)), identity_(identity_of(plan_)) {}

std::string SweepFolder::record_path(size_t number) const { return concat(directory_, "/.trials/", number, ".json"); }

std::optional<SweepFolder::Record> SweepFolder::record(size_t number) const {
  const std::string path = record_path(number);
  if (!std::filesystem::is_regular_file(path)) return {};
  const json read = json::parse(read_file(path), nullptr, false);
  if (!read.is_object() || !read.contains("name") || !read.contains("overrides")) return {};
  if (const bool is_other = read.value("sweep", "") != identity_; is_other && !plan_.searched.empty())
    throw ConfigError(
        concat(directory_,
               " holds trials of another [sweep] table (parameters, seed, rounds or pruning), from which "
               "this one cannot go on. Name another output_dir, or restore the table; num_trials may grow"));
  Record record{{read["name"].get<std::string>(), read["overrides"].get<std::vector<std::string>>()}, {}};
  if (read.contains("exit_code")) record.code = static_cast<ExitCode>(read["exit_code"].get<int>());
  if (read.contains("asked")) record.asked = asked_in(read["asked"]);
  const bool is_planned = plan_.trials.empty() || plan_.trials[number].name == record.trial.name;
  return is_planned ? std::optional(std::move(record)) : std::nullopt;
}

void SweepFolder::write(size_t number, const Trial& trial, const std::optional<ExitCode>& code) const {
  if (!plan_.learns()) return;
  json record{
      {"name", trial.name}, {"overrides", trial.overrides}, {"sweep", identity_}, {"asked", json_of(plan_.asked)}};
  if (code) record["exit_code"] = static_cast<int>(*code);
  real_files().make_directory(directory_ + "/.trials");
  write_atomically(real_files(), record_path(number), record.dump() + "\n");
}

void SweepFolder::begin(size_t number, const Trial& trial) const {
  if (!record(number)) write(number, trial, {});
}

void SweepFolder::end(size_t number, const Trial& trial, ExitCode code) const {
  if (settles(code)) write(number, trial, code);
}

SearchPoint SweepFolder::place_of(const Trial& trial) const {
  SearchPoint place;
  for (size_t i = 0; i < plan_.searched.size(); ++i) {
    const std::string& setting = trial.overrides[i];
    place.push_back(plan_.searched[i].coordinate(json::parse(setting.substr(setting.find('=') + 1))));
  }
  return place;
}

std::optional<Trial> SweepFolder::trial(size_t number) const {
  if (plan_.searched.empty()) return plan_.trials[number];
  std::vector<Trial> trials;
  while (trials.size() <= number) {
    const auto written = record(trials.size());
    const auto next = written ? written->trial : proposed(trials.size(), trials);
    if (!next) return {};
    trials.push_back(*next);
  }
  return trials.back();
}

std::optional<Trial> SweepFolder::proposed(size_t number, const std::vector<Trial>& earlier) const {
  const bool is_random = number < plan_.num_startup_trials;
  std::vector<SearchAxis> axes;
  for (const Dimension& dimension : plan_.searched) axes.push_back(dimension.axis());
  std::vector<ObservedTrial> seen;
  for (size_t i = 0; i < number && !is_random; ++i)
    seen.push_back(i < plan_.round_of(number) ? observed(i, earlier[i]) : ObservedTrial{.place = place_of(earlier[i])});
  for (uint64_t attempt = 0; attempt < 2 * kMostAttempts; ++attempt) {
    const uint64_t key = derive_key(plan_.seed, concat("sweep trial ", number), attempt);
    std::vector<Table> values;
    if (is_random || attempt >= kMostAttempts) {
      for (const Dimension& dimension : plan_.searched)
        values.push_back(dimension.drawn(attempt == 0 ? uniform_of(plan_.seed, dimension.parameter(), number)
                                                      : uniform_of(key, dimension.parameter(), number)));
    } else {
      const SearchPoint place = propose(axes, seen, key);
      for (size_t i = 0; i < place.size(); ++i) values.push_back(plan_.searched[i].value(place[i]));
    }
    Trial trial = trial_of(plan_.parameters, values);
    if (std::ranges::find(earlier, trial.name, &Trial::name) == earlier.end()) return trial;
  }
  return {};
}

std::optional<TrialOutcome> SweepFolder::ended(size_t number, const std::optional<Record>& written) const {
  if (!written || !written->code)
    throw ConfigError(concat("trial ", number, " (", written ? written->trial.name : trial(number)->name,
                             ") is of an earlier round and has not ended in ", directory_, "; run it first: --index ",
                             number, ", or no --index, which runs all"));
  if (*written->code != ExitCode::done) return {};
  const std::string run_directory = concat(directory_, "/", written->trial.name);
  const auto outcome = outcome_of(run_directory);
  if (!outcome)
    throw ConfigError(concat("trial ", number, " has ended, but ", run_directory,
                             " has no summary.json that says so; run it again: --index ", number));
  return outcome;
}

ObservedTrial SweepFolder::observed(size_t number, const Trial& trial) const {
  ObservedTrial observed{.place = place_of(trial), .state = ObservedTrial::State::failed};
  const auto outcome = ended(number, record(number));
  if (!outcome) return observed;
  observed.state =
      outcome->end == TrialOutcome::End::pruned ? ObservedTrial::State::pruned : ObservedTrial::State::finished;
  observed.value = outcome->best;
  observed.evaluations = std::ssize(outcome->evaluations);
  return observed;
}

void SweepFolder::require_one_measure() const {
  if (!plan_.learns()) return;
  std::optional<Measure> first;
  for (size_t i = 0; i < plan_.num_trials; ++i) {
    const auto written = record(i);
    if (!written || written->code != ExitCode::done) continue;
    const std::string trial = concat(directory_, "/", written->trial.name);
    const auto measure = measure_of(trial);
    if (!measure) continue;
    const bool was_asked_for = written->asked.value_or(plan_.asked) != plan_.asked && plan_.asked == AskedMeasure{};
    if (was_asked_for || !may_be(plan_.asked, *measure))
      refuse_measure(trial, *measure, text_of(plan_.asked, *measure));
    if (first && *first != *measure)
      throw ConfigError(concat(trial, " was compared by ", text_of(*measure), ", and trials before it by ",
                               text_of(*first),
                               ": proposals and prunings would follow from both. Name another output_dir"));
    first = measure;
  }
}

bool SweepFolder::is_pruned(size_t number, const Trial& trial) const {
  if (!plan_.pruning) return false;
  const auto written = record(number);
  if (!written || written->code != ExitCode::done || written->trial.name != trial.name) return false;
  const auto outcome = outcome_of(concat(directory_, "/", trial.name));
  return outcome && outcome->end == TrialOutcome::End::pruned;
}

Cutoffs SweepFolder::cutoffs(size_t number) const {
  if (!plan_.pruning) return {};
  std::vector<Evaluations> predecessors;
  double sign = 1;
  for (size_t i = 0; i < plan_.round_of(number); ++i) {
    const auto outcome = ended(i, record(i));
    if (!outcome) continue;
    predecessors.push_back(outcome->evaluations);
    sign = outcome->measure.greater_is_better ? -1 : 1;
  }
  Cutoffs cutoffs = cutoffs_of(*plan_.pruning, predecessors);
  for (auto& [evaluations, value] : cutoffs) value *= sign;
  return cutoffs;
}

}  // namespace sft
