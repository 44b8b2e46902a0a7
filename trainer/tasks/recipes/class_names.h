// The classes of a split: known before, or found in its rows.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/prepare/recipe.h"

namespace sft {

class ClassNames {
 public:
  explicit ClassNames(const PrepareRequest& request);

  const StringList& names() const { return ids_.names(); }
  nlohmann::json key() const;

  // Whether the rows tell which labels there are.
  bool are_open() const { return required_ && !must_be_known_; }

  // Names that were known stay where they cover all labels. DataError where there are fewer labels than `least`; for
  // its message: what rows are called, and a hint at the end.
  void settle(const LabelCensus& found, size_t least, const std::string& rows_are, const std::string& hint);

  // Names LABEL_0, LABEL_1, …, unless so many are known. Whether so many are there then: known names may have to stay.
  bool number(int64_t count);

  void forget() { ids_ = LabelIds({}); }

  // DataError where the label is none of them.
  int64_t id_of(const Row& row, const Label& label) const;

 private:
  std::string split_;
  bool required_, must_be_known_;
  LabelIds ids_;
};

}  // namespace sft
