// What a sweep may set its parameters to: lists of values, and ranges that are drawn from.
#pragma once

#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/schema.h"

namespace sft {

using KeySet = std::set<std::string>;
using KeyNames = std::map<std::string, std::string>;  // another name → dotted key

// { min, max, scale = "linear" | "log" }; log = true is another spelling of the second.
struct SearchRange {
  double least = 0, most = 0;
  bool is_log = false;
  bool is_whole = false;  // draws are whole numbers, both ends among them
};

// Where a value lies for a sampler: on an interval of real numbers, the logarithm where the range has one, or as the
// number of a choice. Whole numbers own the interval half a unit around them.
struct SearchAxis {
  double low = 0, high = 1;
  int64_t choices = 0;  // 0: an interval
};

class Dimension {
 public:
  // ConfigError with the key where `values` is neither a list nor a range. `is_whole`: the key takes whole numbers.
  Dimension(std::string parameter, const Table& values, bool is_whole);

  const std::string& parameter() const { return parameter_; }
  // `uniform` is in [0, 1): one of the list, or uniform on the range's scale, rounded to six digits.
  Table drawn(double uniform) const;

  SearchAxis axis() const;
  Table value(double coordinate) const;
  double coordinate(const Table& value) const;  // of a value of this dimension

 private:
  std::string parameter_;
  std::variant<SearchRange, Table> values_;
};

// In the order of the table, which sorts its keys.
std::vector<Dimension> dimensions_of(const Table& parameters, const KeySet& whole_numbers);

// "sweep.parameters.'optim.learning_rate'", for messages.
std::string sweep_key(const std::string& parameter);

// ConfigError with the nearest key where the table has one that is not known. `where` ends in a dot.
void require_known_keys(const Table& table, const std::vector<std::string>& known, const std::string& where);

}  // namespace sft
