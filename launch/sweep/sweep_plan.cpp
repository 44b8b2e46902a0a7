#include "launch/sweep/sweep_plan.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "base/errors.h"
#include "base/json_member.h"
#include "base/random.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr size_t kMostTrials = 10'000;

// The settings themselves, for reading; their hash where they are long or no file name.
std::string name_of(const std::vector<std::string>& overrides) {
  constexpr size_t kLongest = 120;
  std::string name = join(overrides, ",");
  std::erase(name, '"');
  const bool plain = std::ranges::all_of(overrides, [](const std::string& setting) {
    return setting.find_first_not_of("\"+-.=_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
           std::string::npos;
  });
  if (plain && name.size() <= kLongest) return name;
  char hash[32];
  std::snprintf(hash, sizeof hash, "trial-%016" PRIx64, derive_key(0, join(overrides, "\n")));
  return hash;
}

// member() of what a user wrote.
template <class Value>
Value setting(const Table& table, const char* key, const Value& otherwise, const std::string& where) {
  try {
    return member(table, key, otherwise, where);
  } catch (const DataError& error) {
    throw ConfigError(error.what());
  }
}

// A sweep gives each trial its directory, and its own settings are none of a trial's.
void require_varied(const std::string& parameter) {
  if (parameter == "output_dir")
    throw ConfigError(concat(sweep_key(parameter), ": a sweep settles it for each trial; remove it"));
  for (const char* common : {"overwrite_output_dir", "resume_from_checkpoint"})
    if (parameter == common)
      throw ConfigError(concat(sweep_key(parameter), ": it is the same for all trials; set it outside of [sweep]"));
  if (parameter == "sweep" || parameter.starts_with("sweep."))
    throw ConfigError(concat(sweep_key(parameter), ": a trial has no sweep of its own"));
}

const Table& list_of(const Table& parameters, const std::string& parameter) {
  const Table& values = parameters.at(parameter);
  if (!values.is_array() || values.empty())
    throw ConfigError(concat(sweep_key(parameter), ": wanted a list of values, found ", values.dump(),
                             values.is_object() ? " (ranges are for method = \"random\" and \"tpe\")" : ""));
  return values;
}

// How many trials there are, and the value of a parameter in one of them.
struct Method {
  std::string name;
  const Table& parameters;
  std::vector<std::string> names;
  std::vector<Dimension> dimensions;  // of random
  uint64_t seed;

  size_t count(int64_t num_trials) const {
    if (name == "random") return static_cast<size_t>(num_trials);
    size_t product = 1, first = list_of(parameters, names.front()).size();
    for (const std::string& parameter : names) {
      const size_t size = list_of(parameters, parameter).size();
      product = std::min(product * size, kMostTrials + 1);  // neither overflows
      if (name == "list" && size != first)
        throw ConfigError(concat(sweep_key(parameter), " has ", size, " values and ", sweep_key(names.front()), " has ",
                                 first, "; method \"list\" pairs them one by one"));
    }
    return name == "list" ? first : product;
  }

  Table value(size_t which, size_t trial) const {
    const std::string& parameter = names[which];
    if (name == "random") return dimensions[which].drawn(uniform_of(seed, parameter, trial));
    if (name == "list") return parameters.at(parameter)[trial];
    for (size_t later = names.size(); --later > which;) trial /= parameters.at(names[later]).size();
    return parameters.at(parameter)[trial % parameters.at(parameter).size()];
  }
};

int64_t whole_above(const Table& table, const char* key, int64_t usual, int64_t least, const std::string& where) {
  const int64_t value = setting(table, key, usual, where);
  if (value < least) throw ConfigError(concat(where, ".", key, " is ", value, "; wanted: ", least, " or more"));
  return value;
}

std::optional<Pruning> pruning_of(const Table& sweep) {
  if (!sweep.contains("pruning")) return {};
  const Table& table = sweep.at("pruning");
  if (!table.is_object())
    throw ConfigError(
        concat("sweep.pruning: wanted { reduction_factor = 3, min_evaluations = 1 }, found ", table.dump()));
  require_known_keys(table, {"reduction_factor", "min_evaluations"}, "sweep.pruning.");
  return Pruning{.reduction_factor = whole_above(table, "reduction_factor", 3, 2, "sweep.pruning"),
                 .min_evaluations = whole_above(table, "min_evaluations", 1, 1, "sweep.pruning")};
}

// `parameters` by their dotted keys.
Table by_dotted_keys(const Table& parameters, const KeyNames& dotted) {
  Table named = Table::object();
  for (const auto& [parameter, values] : parameters.items()) {
    const auto found = dotted.find(parameter);
    const std::string& key = found == dotted.end() ? parameter : found->second;
    if (named.contains(key))
      throw ConfigError(concat("[sweep.parameters] has ", in_quotes(key), " by two names; give one of them"));
    named[key] = values;
  }
  return named;
}

// Luck is no setting.
void require_searchable(const std::string& parameter) {
  if (parameter == "seed" || parameter == "data.fold")
    throw ConfigError(concat(sweep_key(parameter), ": method \"tpe\" looks for settings, and would take a lucky ",
                             parameter == "seed" ? "seed" : "fold",
                             " for one; remove it, and vary it in a second sweep (grid) of the best settings"));
}

// Trials that are compared while the sweep runs are measured alike.
void require_comparable(const std::string& parameter) {
  if (parameter.starts_with("eval."))
    throw ConfigError(concat(sweep_key(parameter),
                             ": trials that are compared with each other (tpe, pruning) are measured alike; set it "
                             "outside of [sweep]"));
}

}  // namespace

Trial trial_of(const std::vector<std::string>& parameters, const std::vector<Table>& values) {
  Trial trial;
  for (size_t which = 0; which < parameters.size(); ++which)
    trial.overrides.push_back(parameters[which] + "=" + values[which].dump());
  trial.name = name_of(trial.overrides);
  return trial;
}

double uniform_of(uint64_t seed, const std::string& parameter, uint64_t trial) {
  return static_cast<double>(derive_key(seed, "sweep " + parameter, trial) >> 11) * 0x1p-53;
}

SweepPlan plan_sweep(const Table& sweep, uint64_t seed, const KeySet& whole_numbers, const KeyNames& dotted) {
  require_known_keys(sweep, {"method", "num_trials", "parameters", "num_startup_trials", "trials_per_round", "pruning"},
                     "sweep.");
  const std::string name = setting(sweep, "method", std::string("grid"), "sweep");
  if (name != "grid" && name != "random" && name != "list" && name != "tpe")
    throw ConfigError(concat("sweep.method: wanted grid, random, list or tpe, found ", in_quotes(name)));
  if (!sweep.contains("parameters") || !sweep.at("parameters").is_object() || sweep.at("parameters").empty())
    throw ConfigError("[sweep.parameters] is missing or empty: nothing to vary");
  const bool draws = name == "random" || name == "tpe";
  const Table parameters = by_dotted_keys(sweep.at("parameters"), dotted);
  const int64_t num_trials = setting(sweep, "num_trials", int64_t{0}, "sweep");

  SweepPlan plan;
  plan.seed = seed;
  plan.pruning = pruning_of(sweep);
  plan.trials_per_round = static_cast<size_t>(whole_above(sweep, "trials_per_round", 1, 1, "sweep"));
  for (const auto& [parameter, values] : parameters.items()) plan.parameters.push_back(parameter);
  for (const std::string& parameter : plan.parameters) require_varied(parameter);
  if (draws && num_trials < 1)
    throw ConfigError(concat("sweep.num_trials: method ", in_quotes(name, 20), " needs a number of trials"));
  const Method method{name, parameters, plan.parameters,
                      draws ? dimensions_of(parameters, whole_numbers) : std::vector<Dimension>{}, seed};
  const size_t count = name == "tpe" ? static_cast<size_t>(num_trials) : method.count(num_trials);
  if (count > kMostTrials)
    throw ConfigError(concat("[sweep] asks for more than ", kMostTrials, " trials; vary less, or draw some at random"));
  if (name == "tpe" || plan.pruning)
    for (const std::string& parameter : plan.parameters) require_comparable(parameter);
  if (name == "tpe") {
    for (const std::string& parameter : plan.parameters) require_searchable(parameter);
    plan.searched = method.dimensions;
    plan.num_trials = count;
    plan.num_startup_trials = static_cast<size_t>(whole_above(sweep, "num_startup_trials", 10, 1, "sweep"));
    return plan;
  }
  for (size_t i = 0; i < count; ++i) {
    std::vector<Table> values;
    for (size_t which = 0; which < plan.parameters.size(); ++which) values.push_back(method.value(which, i));
    Trial trial = trial_of(plan.parameters, values);
    if (std::ranges::find(plan.trials, trial.name, &Trial::name) == plan.trials.end())
      plan.trials.push_back(std::move(trial));
  }
  plan.num_trials = plan.trials.size();
  return plan;
}

}  // namespace sft
