// What is known of all rows before the first sample is made. Parts taken by several ranks merge.
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
  LabelCensus labels;
  SplitCensus groups;  // empty where nothing is split

  // The rows that come next are of this piece of the input.
  void begin(int64_t piece) { piece_ = piece; }

  // Of all that is told of a fact, the first in the order of the rows counts, whichever rank reads them.
  void tell(const std::string& fact, const std::string& value) { facts_.try_emplace(fact, piece_, value); }
  bool knows(const std::string& fact) const { return facts_.contains(fact); }
  std::string told(const std::string& fact) const;  // "": no row told it

  void merge(const Census& other);
  std::string to_json() const;
  static Census from_json(const std::string& text);

 private:
  int64_t piece_ = 0;
  std::map<std::string, std::pair<int64_t, std::string>> facts_;  // the lowest piece that told it, and its word
};

}  // namespace sft
