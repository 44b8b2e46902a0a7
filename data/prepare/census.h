// Facts, labels and groups of all rows, collected before the first sample is made. The censuses of several ranks merge.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>

#include "data/prepare/labels.h"
#include "data/prepare/split.h"

namespace sft {

class Census {
 public:
  int64_t num_rows = 0;
  int64_t num_ungrouped = 0;  // rows that name no group where others do
  LabelCensus labels;
  SplitCensus groups;  // empty where nothing is split

  // The rows that come next are of this piece of the input.
  void begin(int64_t piece) { piece_ = piece; }

  // The first row, in the order of the rows, that tells a fact decides it, whichever rank reads that row.
  void tell(const std::string& fact, const std::string& value) { facts_.try_emplace(fact, piece_, value); }
  bool knows(const std::string& fact) const { return facts_.contains(fact); }
  std::string told(const std::string& fact) const;  // "": no row told it

  void merge(const Census& other);
  std::string to_json() const;
  static Census from_json(const std::string& text);

 private:
  int64_t piece_ = 0;
  std::map<std::string, std::pair<int64_t, std::string>> facts_;  // by fact: its lowest piece, and its value
};

}  // namespace sft
