#include "trainer/tasks/recipes/cells.h"

#include <charconv>
#include <cmath>

#include "base/random.h"

namespace sft {

const Cell& cell_of(const Row& row, const WantedColumn& column) {
  if (const Cell* found = row.find(column.name)) return *found;
  throw CellProblem{concat("is missing; the row has: ", list_of_columns(row.names(), column.name))};
}

const std::string& string_in(const Cell& cell) {
  if (cell.kind == Cell::Kind::text || cell.kind == Cell::Kind::plain) return cell.text;
  throw CellProblem{concat("wanted a string, found ", describe(cell))};
}

// Tables of floating point numbers write what is missing as one that is no number.
bool names_nothing(const Cell& cell) {
  return cell.text.empty() || (cell.kind == Cell::Kind::number && cell.text == "nan");
}

std::optional<uint64_t> group_key(const Row& row, const WantedColumn& column, uint64_t seed) {
  if (column.name.empty()) return {};
  return read_cell(row, column, [&](const Cell& cell) -> std::optional<uint64_t> {
    switch (cell.kind) {
      case Cell::Kind::nested:
      case Cell::Kind::list:
      case Cell::Kind::bytes:
        throw CellProblem{concat("wanted a text or a number that names a group, found ", describe(cell))};
      case Cell::Kind::null:
        return {};
      default:
        return names_nothing(cell) ? std::nullopt : std::optional(derive_key(seed, cell.text));
    }
  });
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
