// Raw rows as texts, alone or in pairs, with what they are to be mapped to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/prepare/recipe.h"
#include "trainer/tasks/recipes/target.h"

namespace sft {

// Views the row that it was read from.
struct TextRow {
  const Row* row = nullptr;
  std::string joined = {};  // texts of several columns; "": `single` counts
  std::string_view single = "", pair = "";
  Answer answer = {};
  float weight = 1.0f;

  std::string_view text() const { return joined.empty() ? single : joined; }
};

class TextRows {
 public:
  TextRows(const PrepareRequest& request, const DataConfig& config);

  std::vector<WantedColumn> columns() const;
  const WantedColumn& label_column() const { return label_; }  // no name: no label is read
  const WantedColumn& teacher_column() const { return teacher_; }
  bool has_teacher() const { return !teacher_.name.empty(); }
  bool has_pairs() const { return !pair_.name.empty(); }

  // BadRow where a cell is missing or cannot be what it is wanted for.
  TextRow read(const Row& row, const Target& target) const;

  // Of the row's group, or of its texts where it names none.
  Group group_of(const TextRow& read, uint64_t seed) const;

 private:
  std::vector<WantedColumn> texts_;
  WantedColumn pair_, label_, weight_, group_, teacher_;  // no name: not wanted
};

}  // namespace sft
