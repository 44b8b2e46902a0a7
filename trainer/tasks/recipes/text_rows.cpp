#include "trainer/tasks/recipes/text_rows.h"

#include "base/random.h"
#include "trainer/tasks/recipes/cells.h"

namespace sft {

TextRows::TextRows(const PrepareRequest& request, const DataConfig& config)
    : pair_{"text_pair_column", config.text_pair_column},
      label_{"label_column", request.labels_required ? config.label_column : ""},
      weight_{"weight_column", config.weight_column},
      group_{"group_column", request.splits() ? config.group_column : ""},
      teacher_{"teacher_column", request.is_drawn_from ? config.teacher_column : ""} {
  for (const std::string& name : config.text_column) texts_.push_back({"text_column", name});
}

std::vector<WantedColumn> TextRows::columns() const {
  std::vector<WantedColumn> all = texts_;
  all.insert(all.end(), {pair_, label_, weight_, group_});
  if (has_teacher()) all.push_back(teacher_);
  return all;
}

TextRow TextRows::read(const Row& row, const Target& target) const {
  TextRow out{.row = &row};
  for (const WantedColumn& column : texts_) {
    const std::string& text = read_cell(row, column, string_in);
    if (texts_.size() == 1) {
      out.single = text;
    } else {
      if (&column != &texts_.front()) out.joined += ' ';
      out.joined += text;
    }
  }
  if (has_pairs()) out.pair = read_cell(row, pair_, string_in);
  if (!label_.name.empty()) read_cell(row, label_, [&](const Cell& cell) { target.read(cell, out.answer); });
  if (!weight_.name.empty()) out.weight = read_cell(row, weight_, weight_in);
  return out;
}

Group TextRows::group_of(const TextRow& read, uint64_t seed) const {
  if (const auto key = group_key(*read.row, group_, seed)) return {.key = *key};
  return {.key = derive_key(derive_key(seed, read.text()), read.pair), .is_unnamed = !group_.name.empty()};
}

}  // namespace sft
