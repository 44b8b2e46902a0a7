// The events of nlohmann's parser fill the cells directly, so that no second tree is built.
#include "data/readers/json_row.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/utf8.h"
#include "data/native/decompressed.h"

namespace sft {
namespace {

using nlohmann::json;

// A carriage return that no line feed follows, before the last line's end.
bool ends_lines_in_carriage_returns(std::string_view text) {
  text = text.substr(0, text.find_last_not_of("\r\n") + 1);
  for (size_t at = text.find('\r'); at != text.npos; at = text.find('\r', at + 1))
    if (text[at + 1] != '\n') return true;
  return false;
}

// What other programs write that is no JSON, with the cure; "" where none of it is there. The error is at `column`,
// counted from 1.
std::string hint_for(std::string_view text, size_t column) {
  if (text.find('\0') != text.npos)
    return "; it holds zero bytes, as UTF-16 does: iconv -f UTF-16LE -t UTF-8 (or UTF-16BE) converts it";
  if (ends_lines_in_carriage_returns(text))
    return "; the lines seem to end in carriage returns alone, and line feeds are read";
  const std::string_view near = text.substr(std::min(column < 2 ? 0 : column - 2, text.size()), 10);
  for (const std::string_view word : {"NaN", "Infinity"})
    if (near.find(word) != near.npos)
      return concat("; ", word, ", which Python writes, is no JSON: write null for no value, or leave the row out");
  return "";
}

class RowEvents final : public nlohmann::json_sax<json> {
 public:
  RowEvents(Row& row, std::string_view path) : row_(row), path_(path) { row_.clear(); }

  std::string problem;  // after the parse returned false
  size_t column = 0;    // of it, from 1; 0: of the whole row

  bool null() override { return put(Cell::Kind::null, ""); }
  bool boolean(bool value) override { return put(Cell::Kind::boolean, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return put(Cell::Kind::number, std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(Cell::Kind::number, std::to_string(value)); }
  // Also an integer beyond 64 bits, which keeps its digits.
  bool number_float(number_float_t value, const string_t& spelled) override {
    const bool is_real = spelled.find_first_of(".eE") != spelled.npos;
    return put(Cell::Kind::number, is_real ? shortest(value) : spelled, is_real);
  }
  bool string(string_t& value) override { return put(Cell::Kind::text, value); }
  bool binary(binary_t&) override { return false; }  // JSON has none

  bool start_object(size_t) override {
    if (!open_.empty()) return open(Cell::Kind::nested, "object");
    open_.push_back(nullptr);
    return true;
  }
  bool start_array(size_t) override { return open(Cell::Kind::list, "array"); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (open_.size() == 1) {
      if (row_.find(name) != nullptr) row_.twice = name;
      cell_ = &row_.add(name);
    } else if (Cell* object = holder()) {
      object->names.push_back(name);
    }
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    column = position;
    problem = concat("not valid JSON at column ", position, ": ", json_reason(error.what()));
    return false;
  }

 private:
  // The list or object whose items come next; none at the top, and where they are too deep to be kept.
  Cell* holder() const { return open_.size() <= kMostDepth ? open_.back() : nullptr; }

  // The cell of the value that comes next; none where it is too deep.
  Cell* next_cell() {
    if (open_.size() == 1) return cell_;
    Cell* const into = holder();
    return into == nullptr ? nullptr : &into->items.emplace_back();
  }

  bool put(Cell::Kind kind, std::string_view text, bool is_real = false) {
    if (open_.empty()) return refuse(name_of(kind));
    if (Cell* const cell = next_cell()) fill(*cell, kind, text, is_real);
    return true;
  }

  bool open(Cell::Kind kind, std::string_view text) {
    if (open_.empty()) return refuse("an array");
    Cell* const cell = next_cell();
    if (cell != nullptr) {
      fill(*cell, kind, text);
      cell->is_cut = open_.size() == kMostDepth;
    }
    open_.push_back(cell);  // the cell stays in place: its holder gets no other item before it is closed
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool refuse(std::string_view found) {
    problem = concat("wanted a JSON object, found ", found);
    if (found != "an array") return false;
    problem += "; write one object a line, as jq -c '.[]' does";
    if (!uncompressed_name(path_).ends_with(".json")) problem += ", or name the file .json";
    return false;
  }

  static void fill(Cell& cell, Cell::Kind kind, std::string_view text, bool is_real = false) {
    cell.kind = kind;
    cell.is_real = is_real;
    cell.is_cut = false;
    cell.text.assign(text);
    cell.items.clear();
    cell.names.clear();
  }

  Row& row_;
  std::string_view path_;
  Cell* cell_ = nullptr;     // of the last key at the top
  std::vector<Cell*> open_;  // lists and objects around the next value, the row's own first
};

}  // namespace

std::string shortest(double value) {
  char buffer[32];
  const bool whole = value == std::trunc(value) && std::abs(value) < 9007199254740992.0;  // 2^53
  const auto end = whole ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<int64_t>(value)).ptr
                         : std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

std::string json_reason(std::string_view text) {
  if (text.starts_with("[json.exception.")) text.remove_prefix(std::min(text.find("] ") + 2, text.size()));
  if (const size_t at = text.find(" - "); at != text.npos) text.remove_prefix(at + 3);
  return std::string(text.substr(0, std::min(text.find("; last read"), size_t{120})));
}

void parse_json_row(std::string_view text, const std::string& path, Row& row) {
  RowEvents events(row, path);
  if (json::sax_parse(text.begin(), text.end(), &events)) return;  // which checks UTF-8 too
  const std::string problem = is_valid_utf8(text) ? events.problem + hint_for(text, events.column) : utf8_problem(text);
  throw BadRow(concat(path, ":", row.line, ": ", problem));
}

}  // namespace sft
