// The labels of a dataset, and the ids they get.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/readers/label.h"

namespace sft {

// The distinct labels of some rows. Parts taken by several ranks merge.
class LabelCensus {
 public:
  void add(const Label& label);
  void merge(const LabelCensus& other);

  // The labels' names by id: integers that are just 0 … k−1 in that order, otherwise all in byte order.
  std::vector<std::string> names() const;
  const std::map<std::string, bool>& labels() const { return labels_; }
  static LabelCensus of(std::map<std::string, bool> labels);

 private:
  std::map<std::string, bool> labels_;  // text → is_index of all that have it
};

// Ids by name; by index too, where no name is itself a number that could be mistaken for one.
class LabelIds {
 public:
  explicit LabelIds(std::vector<std::string> names);
  int64_t operator()(const Label& label) const;  // −1: unknown
  bool cover(const LabelCensus& census) const;
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, int64_t, std::less<>> ids_;
  bool indices_allowed_ = true;
};

// "is none of the 3 known labels: 'a', 'b', 'c'", cut short where they are many.
std::string not_among(const std::string& label, const std::vector<std::string>& names);

}  // namespace sft
