#include "trainer/tasks/recipes/target_cells.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>

#include "base/text.h"
#include "trainer/tasks/recipes/target.h"

namespace sft {
namespace {

using Kind = Cell::Kind;

bool is_text(const Cell& cell) { return cell.kind == Kind::text || cell.kind == Kind::plain; }

// NaN and infinities are numbers here: they are refused as such, and make no column one of names.
std::optional<double> number_in(const Cell& cell) {
  if (cell.kind != Kind::number && cell.kind != Kind::plain) return {};
  double number = 0;
  const char* end = cell.text.data() + cell.text.size();
  const auto parsed = std::from_chars(cell.text.data(), end, number);
  if (parsed.ptr != end || cell.text.empty() || parsed.ec == std::errc::invalid_argument) return {};
  return parsed.ec == std::errc{} ? number : INFINITY;
}

std::string without_spaces(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") + 1 - first));
}

// Pieces keep the kind: "1" of a CSV file may be a number, of a JSON string it is a name.
std::vector<Cell> split(const Cell& cell, const std::string& separator) {
  std::vector<Cell> items;
  if (without_spaces(cell.text).empty()) return items;
  for (size_t at = 0; at != std::string::npos;) {
    const size_t end = separator.empty() ? std::string::npos : cell.text.find(separator, at);
    items.push_back({cell.kind, without_spaces(std::string_view(cell.text).substr(at, end - at)), {}});
    at = end == std::string::npos ? end : end + separator.size();
  }
  return items;
}

std::vector<Cell> items_of(const Cell& cell, const std::string& separator) {
  return is_text(cell) ? split(cell, separator) : cell.items;
}

std::optional<bool> flag_in(const Cell& item) {
  if (item.kind == Kind::boolean) return item.text == "true";
  const auto number = number_in(item);
  if (number != 0.0 && number != 1.0) return {};
  return number == 1.0;
}

float finite(const Cell& cell) {
  const auto number = number_in(cell);
  const float value = static_cast<float>(number.value_or(NAN));
  if (!std::isfinite(value)) throw CellProblem{concat("wanted a finite number, found ", describe(cell))};
  return value;
}

std::string told_by_item(const Cell& item, const char* of_names) {
  if (const auto number = number_in(item)) {
    const bool fraction = std::isfinite(*number) && *number != std::trunc(*number);
    return fraction ? kRealNumbers : "";
  }
  const bool name = is_text(item) || item.kind == Kind::boolean;
  return name && !item.text.empty() ? of_names : "";
}

}  // namespace

void read_label_set(const Cell& cell, const std::string& separator, std::vector<Label>& out) {
  if (cell.kind != Kind::list && !is_text(cell))
    throw CellProblem{concat("wanted a list of labels, found ", describe(cell))};
  if (is_text(cell) && looks_like_a_list(cell.text))
    throw CellProblem{concat("is a list written as text, ", in_quotes(cell.text, 40), "; wanted labels with ",
                             in_quotes(separator), " between them, or, in .jsonl, a list")};
  out.clear();
  std::set<std::string_view> seen;
  const std::vector<Cell> items = items_of(cell, separator);
  for (const Cell& item : items) {
    try {
      read_label(item, out.emplace_back());
    } catch (const CellProblem& problem) {
      throw CellProblem{concat("has an item that ", problem.what)};
    }
    if (!seen.insert(item.text).second)
      throw CellProblem{concat("names the label ", in_quotes(item.text), " twice",
                               count_flags(cell, separator) == 0
                                   ? ""
                                   : "; 0 and 1 are taken for flags, one a label, where "
                                     "every row has as many of them as there are labels")};
  }
}

int64_t count_flags(const Cell& cell, const std::string& separator) {
  const std::vector<Cell> items = items_of(cell, separator);
  const bool all =
      items.size() > 1 && std::ranges::all_of(items, [](const Cell& item) { return flag_in(item).has_value(); });
  return all ? std::ssize(items) : 0;
}

void read_flags(const Cell& cell, const std::string& separator, int64_t count, std::vector<int64_t>& ids) {
  if (count_flags(cell, separator) != count)
    throw CellProblem{concat("wanted ", count, " flags, 0 or 1, one a label as in the rows before it, found ",
                             cell.kind == Kind::list ? concat("a list of ", cell.items.size()) : describe(cell))};
  ids.clear();
  int64_t id = 0;
  for (const Cell& item : items_of(cell, separator)) {
    if (flag_in(item) == true) ids.push_back(id);
    ++id;
  }
}

void read_values(const Cell& cell, const std::string& separator, int64_t count, std::vector<float>& out) {
  out.clear();
  if (cell.kind == Kind::list) {
    for (const Cell& item : cell.items) out.push_back(finite(item));
  } else if (cell.kind == Kind::plain && !separator.empty() && cell.text.find(separator) != std::string::npos) {
    for (const Cell& item : split(cell, separator)) out.push_back(finite(item));
  } else {
    out.push_back(finite(cell));
  }
  const auto found = static_cast<int64_t>(out.size());
  if (count > 0 ? found != count : found == 0)
    throw CellProblem{concat("has ", found, " numbers, and ", count > 0 ? count : 1, count > 0 ? "" : " or more",
                             count == 1 ? " is wanted" : " are wanted")};
}

void read_values_by_label(const Cell& cell, const std::vector<std::string>& labels, std::vector<float>& out) {
  out.assign(labels.size(), 0);
  std::vector<bool> are_named(labels.size());
  for (size_t i = 0; i < cell.names.size(); ++i) {
    const auto label = std::ranges::find(labels, cell.names[i]);
    if (label == labels.end()) throw CellProblem{concat("names ", in_quotes(cell.names[i]), ", which is no label")};
    const auto id = static_cast<size_t>(label - labels.begin());
    if (are_named[id]) throw CellProblem{concat("names the label ", in_quotes(*label), " twice")};
    are_named[id] = true;
    out[id] = finite(cell.items[i]);
  }
  const auto missing = std::ranges::find(are_named, false);
  if (missing != are_named.end())
    throw CellProblem{
        concat("has no number for the label ", in_quotes(labels[static_cast<size_t>(missing - are_named.begin())]))};
}

int64_t count_values(const Cell& cell, const std::string& separator) {
  if (cell.kind == Kind::list) return static_cast<int64_t>(cell.items.size());
  return cell.kind == Kind::plain ? static_cast<int64_t>(split(cell, separator).size()) : 1;
}

bool looks_like_a_list(std::string_view text) {
  return text.starts_with('[') && text.ends_with(']') && (text.find(',') != text.npos || text.size() < 4);
}

std::string problem_type_told_by(const Cell& cell) {
  if (cell.kind == Kind::nested) return kOneLabel;  // probabilities of labels
  if (cell.kind != Kind::list) return told_by_item(cell, kOneLabel);
  for (const Cell& item : cell.items)
    if (const std::string told = told_by_item(item, kLabelSet); !told.empty()) return told;
  return "";
}

}  // namespace sft
