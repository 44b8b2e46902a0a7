#include "data/readers/label.h"

#include <algorithm>

#include "base/text.h"

namespace sft {

bool is_index(std::string_view text) {
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits && !text.empty() && text.size() <= 18 && (text == "0" || text.front() != '0');
}

void read_label(const Cell& cell, Label& out) {
  using Kind = Cell::Kind;
  if (cell.kind == Kind::null || cell.kind == Kind::nested || cell.kind == Kind::list || cell.kind == Kind::bytes) {
    throw CellProblem{concat("wanted a string, number or boolean, found ", describe(cell))};
  }
  if (cell.text.empty()) throw CellProblem{"is empty"};
  if (cell.text.find('\0') != std::string::npos) throw CellProblem{"holds a NUL character"};
  out.text = cell.text;
  out.is_index = cell.kind != Cell::Kind::text && is_index(cell.text);
}

}  // namespace sft
