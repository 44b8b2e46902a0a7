#include "launch/sweep/sweep_results.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <utility>

#include "base/file_ops.h"
#include "base/text.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

Json summary_of(const std::string& path) {
  if (!std::filesystem::exists(path)) return {{"exit_reason", "not finished"}};
  Json summary = Json::parse(read_file(path), nullptr, false);
  if (!summary.is_object()) return {{"exit_reason", "unreadable summary.json"}};
  return summary;
}

// One flat object a trial: run facts, then eval_* and test_*.
Json facts_of(const Json& summary) {
  // What a pruned trial has come to is not what its settings come to: no number stands beside them.
  if (summary.value("exit_reason", "") == "pruned")
    return {{"exit_reason", concat("pruned at step ", summary.value("global_step", int64_t{0}), " of ",
                                   summary.value("total_steps", int64_t{0}))}};
  Json facts;
  for (const char* name : {"exit_reason", "global_step", "best_metric"})
    if (summary.contains(name)) facts[name] = summary[name];
  for (const auto& [part, prefix] : {std::pair{"metrics", "eval_"}, {"test_metrics", "test_"}}) {
    if (!summary.contains(part) || !summary[part].is_object()) continue;
    for (const auto& [name, value] : summary[part].items())
      if (value.is_number() && name != "step" && name != "samples" && name != "seconds") facts[prefix + name] = value;
  }
  return facts;
}

std::optional<double> best_of(const TrialResult& trial) {
  const auto found = trial.facts.find("best_metric");
  return found != trial.facts.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

// Whether model/ is of the evaluation that gave best_metric; earlier builds did not write its step down.
bool is_best_left(const Json& summary) {
  const auto best = summary.value("best_global_step", int64_t{0});
  return best == 0 || summary.value("exported_step", best) == best;
}

Spread spread_of(std::vector<std::string> values, const std::vector<const TrialResult*>& trials) {
  Spread spread{.values = std::move(values), .runs = std::ssize(trials), .metrics = {}};
  for (const auto& [name, value] : trials.front()->facts.items()) {
    const auto has = [&, &metric = name](const TrialResult* trial) {
      return trial->facts.contains(metric) && trial->facts[metric].is_number();
    };
    if (name == "global_step" || !std::ranges::all_of(trials, has)) continue;
    const auto n = static_cast<double>(trials.size());
    double sum = 0, squares = 0;
    for (const TrialResult* trial : trials) sum += trial->facts[name].get<double>();
    for (const TrialResult* trial : trials) squares += std::pow(trial->facts[name].get<double>() - sum / n, 2);
    spread.metrics.push_back({name, sum / n, std::sqrt(squares / (n - 1))});
  }
  return spread;
}

bool is_repeat(const std::string& parameter) { return parameter == "seed" || parameter == "data.fold"; }

}  // namespace

SweepResults::SweepResults(const SweepPlan& plan, const std::vector<ExitCode>& codes, const std::string& directory)
    : parameters_(plan.parameters) {
  std::vector<std::pair<std::string, bool>> measures;
  for (size_t i = 0; i < plan.trials.size(); ++i) {
    TrialResult trial{.name = plan.trials[i].name, .values = {}, .facts = {}};
    for (const std::string& setting : plan.trials[i].overrides)
      trial.values.push_back(setting.substr(setting.find('=') + 1));
    if (codes[i] == ExitCode::done) {
      const Json summary = summary_of(concat(directory, "/", trial.name, "/summary.json"));
      trial.facts = facts_of(summary);
      trial.leaves_best = is_best_left(summary);
      if (const Json part = summary.value("metrics", Json()); part.is_object() && part.contains("details"))
        words_ = MetricWords(part["details"]);
      if (best_of(trial) && summary.contains("metric_for_best_model"))
        measures.emplace_back(summary.value("metric_for_best_model", ""), summary.value("greater_is_better", true));
    } else {
      trial.facts = Json{{"exit_reason", concat("exit code ", static_cast<int>(codes[i]))}};
    }
    trials_.push_back(std::move(trial));
  }
  if (measures.empty() || std::ranges::count(measures, measures.front()) != std::ssize(measures)) return;
  metric_ = measures.front().first;
  greater_is_better_ = measures.front().second;
}

std::vector<size_t> SweepResults::ranking() const {
  std::vector<size_t> order(trials_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (metric_.empty()) return order;
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    const auto left = best_of(trials_[a]), right = best_of(trials_[b]);
    if (!left || !right) return left.has_value() && !right.has_value();
    return greater_is_better_ ? *left > *right : *left < *right;
  });
  return order;
}

std::vector<std::string> SweepResults::repeats() const {
  std::vector<std::string> found;
  std::ranges::copy_if(parameters_, std::back_inserter(found), is_repeat);
  return found;
}

std::vector<Spread> SweepResults::spreads() const {
  if (repeats().empty()) return {};
  std::map<std::vector<std::string>, std::vector<const TrialResult*>> groups;
  std::vector<std::vector<std::string>> order;
  for (const TrialResult& trial : trials_) {
    if (!trial.facts.contains("global_step")) continue;
    std::vector<std::string> values;
    for (size_t k = 0; k < parameters_.size(); ++k)
      if (!is_repeat(parameters_[k])) values.push_back(trial.values[k]);
    if (!groups.contains(values)) order.push_back(values);
    groups[values].push_back(&trial);
  }
  std::vector<Spread> spreads;
  for (const std::vector<std::string>& values : order)
    if (groups[values].size() > 1) spreads.push_back(spread_of(values, groups[values]));
  return spreads;
}

}  // namespace sft
