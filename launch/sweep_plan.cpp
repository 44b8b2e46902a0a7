#include "launch/sweep_plan.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/errors.h"
#include "base/json_member.h"
#include "base/random.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr size_t kMostTrials = 10'000;

std::string key_of(const std::string& parameter) { return concat("sweep.parameters.", in_quotes(parameter)); }

// "0.00031234567" → 0.000312346: a draw needs no more digits, and its trial is named by them.
double rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

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

void require_known_keys(const Table& table, const std::vector<std::string>& known, const std::string& where) {
  for (const auto& [key, value] : table.items())
    if (std::ranges::find(known, key) == known.end())
      throw ConfigError(
          concat("unknown key '", where, key, "'", did_you_mean(key, known), "; there are: ", join(known, ", ")));
}

// A sweep gives each trial its directory, and its own settings are none of a trial's.
void require_varied(const std::string& parameter) {
  if (parameter == "output_dir")
    throw ConfigError(concat(key_of(parameter), ": a sweep settles it for each trial; remove it"));
  for (const char* common : {"overwrite_output_dir", "resume_from_checkpoint"})
    if (parameter == common)
      throw ConfigError(concat(key_of(parameter), ": it is the same for all trials; set it outside of [sweep]"));
  if (parameter == "sweep" || parameter.starts_with("sweep."))
    throw ConfigError(concat(key_of(parameter), ": a trial has no sweep of its own"));
}

const Table& list_of(const Table& parameters, const std::string& parameter) {
  const Table& values = parameters.at(parameter);
  if (!values.is_array() || values.empty())
    throw ConfigError(concat(key_of(parameter), ": wanted a list of values, found ", values.dump(),
                             values.is_object() ? " (ranges are for method = \"random\")" : ""));
  return values;
}

double bound(const Table& range, const char* which, const std::string& parameter) {
  if (!range.contains(which) || !range.at(which).is_number())
    throw ConfigError(
        concat(key_of(parameter), ": wanted { min = …, max = …, scale = \"log\" }, found ", range.dump()));
  return range.at(which).get<double>();
}

// `uniform` is in [0, 1).
Table draw(const Table& values, double uniform, const std::string& parameter) {
  if (values.is_array()) {
    const Table& list = values;
    if (list.empty()) throw ConfigError(key_of(parameter) + ": the list is empty");
    return list[static_cast<size_t>(uniform * static_cast<double>(list.size()))];
  }
  require_known_keys(values, {"min", "max", "scale"}, key_of(parameter) + ".");
  const double least = bound(values, "min", parameter), most = bound(values, "max", parameter);
  const std::string scale = setting(values, "scale", std::string("linear"), key_of(parameter));
  if (!(least <= most)) throw ConfigError(key_of(parameter) + ": min is above max");
  if (scale == "linear") return rounded(least + uniform * (most - least));
  if (scale != "log")
    throw ConfigError(concat(key_of(parameter), ": scale ", in_quotes(scale), " is not linear or log"));
  if (least <= 0) throw ConfigError(key_of(parameter) + ": a log scale needs min above 0");
  return rounded(least * std::pow(most / least, uniform));
}

double uniform_of(uint64_t seed, const std::string& parameter, uint64_t trial) {
  return static_cast<double>(derive_key(seed, "sweep " + parameter, trial) >> 11) * 0x1p-53;
}

// How many trials there are, and the value of a parameter in one of them.
struct Method {
  std::string name;
  const Table& parameters;
  std::vector<std::string> names;
  uint64_t seed;

  size_t count(int64_t num_trials) const {
    if (name == "random") {
      if (num_trials < 1) throw ConfigError("sweep.num_trials: method \"random\" needs a number of trials");
      return static_cast<size_t>(num_trials);
    }
    size_t product = 1, first = list_of(parameters, names.front()).size();
    for (const std::string& parameter : names) {
      const size_t size = list_of(parameters, parameter).size();
      product = std::min(product * size, kMostTrials + 1);  // neither overflows
      if (name == "list" && size != first)
        throw ConfigError(concat(key_of(parameter), " has ", size, " values and ", key_of(names.front()), " has ",
                                 first, "; method \"list\" pairs them one by one"));
    }
    return name == "list" ? first : product;
  }

  Table value(size_t which, size_t trial) const {
    const std::string& parameter = names[which];
    if (name == "random") return draw(parameters.at(parameter), uniform_of(seed, parameter, trial), parameter);
    if (name == "list") return parameters.at(parameter)[trial];
    for (size_t later = names.size(); --later > which;) trial /= parameters.at(names[later]).size();
    return parameters.at(parameter)[trial % parameters.at(parameter).size()];
  }
};

}  // namespace

SweepPlan plan_sweep(const Table& sweep, uint64_t seed) {
  require_known_keys(sweep, {"method", "num_trials", "parameters"}, "sweep.");
  const std::string name = setting(sweep, "method", std::string("grid"), "sweep");
  if (name != "grid" && name != "random" && name != "list")
    throw ConfigError(concat("sweep.method: wanted grid, random or list, found ", in_quotes(name)));
  if (!sweep.contains("parameters") || !sweep.at("parameters").is_object() || sweep.at("parameters").empty())
    throw ConfigError("[sweep.parameters] is missing or empty: nothing to vary");

  SweepPlan plan;
  for (const auto& [parameter, values] : sweep.at("parameters").items()) plan.parameters.push_back(parameter);
  for (const std::string& parameter : plan.parameters) require_varied(parameter);
  const Method method{name, sweep.at("parameters"), plan.parameters, seed};
  const size_t count = method.count(setting(sweep, "num_trials", int64_t{0}, "sweep"));
  if (count > kMostTrials)
    throw ConfigError(concat("[sweep] asks for more than ", kMostTrials, " trials; vary less, or draw some at random"));
  for (size_t i = 0; i < count; ++i) {
    Trial trial;
    for (size_t which = 0; which < plan.parameters.size(); ++which)
      trial.overrides.push_back(plan.parameters[which] + "=" + method.value(which, i).dump());
    trial.name = name_of(trial.overrides);
    if (std::ranges::find(plan.trials, trial.name, &Trial::name) == plan.trials.end())
      plan.trials.push_back(std::move(trial));
  }
  return plan;
}

}  // namespace sft
