// Cells of a row by the columns that the config names. What is wrong with one is told with file, line and column.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/text.h"
#include "data/prepare/recipe.h"

namespace sft {

// CellProblem where the row has no such column.
const Cell& cell_of(const Row& row, const WantedColumn& column);

// What `reader` makes of the cell. BadRow where there is none, or where `reader` throws CellProblem.
template <class Reader>
decltype(auto) read_cell(const Row& row, const WantedColumn& column, const Reader& reader) {
  try {
    return reader(cell_of(row, column));
  } catch (const CellProblem& problem) {
    throw BadRow(concat(row.place(), ": column ", in_quotes(column.name), " ", problem.what));
  }
}

// What `read` makes of each row. A row at which it throws BadRow is refused.
template <class Read>
auto read_rows(std::span<const Row> rows, SampleSink& out, const Read& read) {
  std::vector<decltype(read(rows.front()))> good;
  good.reserve(rows.size());
  for (const Row& row : rows) {
    try {
      good.push_back(read(row));
    } catch (const BadRow& error) {
      out.refuse(error);
    }
  }
  return good;
}

// Key of the group that the row names in the column; nothing where the cell is null or empty, or no column is wanted: such
// a row belongs with its equals alone. BadRow where there is no cell, or it holds neither a text nor a number.
std::optional<uint64_t> group_key(const Row& row, const WantedColumn& column, uint64_t seed);

// CellProblem where the cell cannot be that.
const std::string& string_in(const Cell& cell);
float weight_in(const Cell& cell);  // finite, ≥ 0

}  // namespace sft
