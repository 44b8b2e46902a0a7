#include "trainer/tasks/recipes/cells.h"

#include <charconv>
#include <cmath>

namespace sft {

const Cell& cell_of(const Row& row, const WantedColumn& column) {
  if (const Cell* found = row.find(column.name)) return *found;
  throw CellProblem{concat("is missing; the row has: ", list_of_columns(row.names(), column.name))};
}

const std::string& string_in(const Cell& cell) {
  if (cell.kind == Cell::Kind::text || cell.kind == Cell::Kind::plain) return cell.text;
  throw CellProblem{concat("wanted a string, found ", describe(cell))};
}

float weight_in(const Cell& cell) {
  float weight = 0;
  const char* end = cell.text.data() + cell.text.size();
  const auto parsed = std::from_chars(cell.text.data(), end, weight);
  const bool number = cell.kind == Cell::Kind::number || cell.kind == Cell::Kind::plain;
  if (!number || parsed.ec != std::errc{} || parsed.ptr != end || !std::isfinite(weight) || weight < 0) {
    throw CellProblem{concat("wanted a finite number ≥ 0, found ", describe(cell))};
  }
  return weight;
}

}  // namespace sft
