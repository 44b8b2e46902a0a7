#include "launch/sweep/search_space.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

// "0.00031234567" → 0.000312346: a draw needs no more digits, and its trial is named by them.
double rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

double bound(const Table& range, const char* which, const std::string& parameter) {
  if (!range.contains(which) || !range.at(which).is_number())
    throw ConfigError(
        concat(sweep_key(parameter), ": wanted { min = …, max = …, scale = \"log\" }, found ", range.dump()));
  return range.at(which).get<double>();
}

bool is_log(const Table& range, const std::string& parameter) {
  const Table scale = range.value("scale", Table("linear")), log = range.value("log", Table(false));
  if (!scale.is_string())
    throw ConfigError(concat(sweep_key(parameter), ": scale is ", scale.dump(), "; wanted: string"));
  if (!log.is_boolean()) throw ConfigError(concat(sweep_key(parameter), ": log is ", log.dump(), "; wanted: boolean"));
  if (scale != "linear" && scale != "log")
    throw ConfigError(
        concat(sweep_key(parameter), ": scale ", in_quotes(scale.get<std::string>()), " is not linear or log"));
  if (range.contains("scale") && range.contains("log") && log != (scale == "log"))
    throw ConfigError(concat(sweep_key(parameter), ": scale and log contradict each other; one of them is enough"));
  return scale == "log" || log.get<bool>();
}

SearchRange range_of(const Table& values, const std::string& parameter, bool is_whole) {
  if (!values.is_object())
    throw ConfigError(concat(sweep_key(parameter), ": wanted a list of values or a range { min = …, max = … }, found ",
                             values.dump()));
  require_known_keys(values, {"min", "max", "scale", "log"}, sweep_key(parameter) + ".");
  const SearchRange range{.least = bound(values, "min", parameter),
                          .most = bound(values, "max", parameter),
                          .is_log = is_log(values, parameter),
                          .is_whole = is_whole};
  if (!(range.least <= range.most)) throw ConfigError(sweep_key(parameter) + ": min is above max");
  if (range.is_log && range.least <= 0) throw ConfigError(sweep_key(parameter) + ": a log scale needs min above 0");
  if (is_whole && (range.least != std::floor(range.least) || range.most != std::floor(range.most)))
    throw ConfigError(
        concat(sweep_key(parameter), ": the key takes whole numbers, and so do min and max; found ", values.dump()));
  return range;
}

}  // namespace

std::string sweep_key(const std::string& parameter) { return concat("sweep.parameters.", in_quotes(parameter)); }

void require_known_keys(const Table& table, const std::vector<std::string>& known, const std::string& where) {
  for (const auto& [key, value] : table.items())
    if (std::ranges::find(known, key) == known.end())
      throw ConfigError(
          concat("unknown key '", where, key, "'", did_you_mean(key, known), "; there are: ", join(known, ", ")));
}

Dimension::Dimension(std::string parameter, const Table& values, bool is_whole) : parameter_(std::move(parameter)) {
  if (!values.is_array())
    values_ = range_of(values, parameter_, is_whole);
  else if (values.empty())
    throw ConfigError(sweep_key(parameter_) + ": the list is empty");
  else
    values_ = values;
}

Table Dimension::drawn(double uniform) const {
  if (const auto* list = std::get_if<Table>(&values_))
    return (*list)[static_cast<size_t>(uniform * static_cast<double>(list->size()))];
  const SearchAxis whole = axis();
  return value(whole.low + uniform * (whole.high - whole.low));
}

SearchAxis Dimension::axis() const {
  if (const auto* list = std::get_if<Table>(&values_)) return {.choices = std::ssize(*list)};
  const auto& range = std::get<SearchRange>(values_);
  const double margin = range.is_whole ? 0.5 : 0;
  const auto scaled = [&](double value) { return range.is_log ? std::log(value) : value; };
  return {.low = scaled(range.least - margin), .high = scaled(range.most + margin)};
}

Table Dimension::value(double coordinate) const {
  if (const auto* list = std::get_if<Table>(&values_)) return (*list)[static_cast<size_t>(coordinate)];
  const auto& range = std::get<SearchRange>(values_);
  const double value = range.is_log ? std::exp(coordinate) : coordinate;
  if (!range.is_whole) return std::clamp(rounded(value), range.least, range.most);
  return static_cast<int64_t>(std::clamp(std::round(value), range.least, range.most));
}

double Dimension::coordinate(const Table& value) const {
  if (const auto* list = std::get_if<Table>(&values_))
    return static_cast<double>(std::ranges::find(*list, value) - list->begin());
  const double number = value.get<double>();
  return std::get<SearchRange>(values_).is_log ? std::log(number) : number;
}

std::vector<Dimension> dimensions_of(const Table& parameters, const KeySet& whole_numbers) {
  std::vector<Dimension> dimensions;
  for (const auto& [parameter, values] : parameters.items())
    dimensions.emplace_back(parameter, values, whole_numbers.contains(parameter));
  return dimensions;
}

}  // namespace sft
