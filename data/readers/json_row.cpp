// The events of nlohmann's parser fill the cells directly: no tree is built, and values deeper than a list are passed
// over.
#include "data/readers/json_row.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace sft {
namespace {

using nlohmann::json;

// Shortest spelling that reads back as the same value; a whole number without a point.
std::string shortest(double value) {
  char buffer[32];
  const bool whole = value == std::trunc(value) && std::abs(value) < 9007199254740992.0;  // 2^53
  const auto end = whole ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<int64_t>(value)).ptr
                         : std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

class RowEvents final : public nlohmann::json_sax<json> {
 public:
  explicit RowEvents(Row& row) : row_(row) { row_.clear(); }

  std::string problem;  // after the parse returned false

  bool null() override { return put(Cell::Kind::null, ""); }
  bool boolean(bool value) override { return put(Cell::Kind::boolean, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return put(Cell::Kind::number, std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(Cell::Kind::number, std::to_string(value)); }
  bool number_float(number_float_t value, const string_t&) override { return put(Cell::Kind::number, shortest(value)); }
  bool string(string_t& value) override { return put(Cell::Kind::text, value); }
  bool binary(binary_t&) override { return put(Cell::Kind::nested, "binary"); }

  bool start_object(size_t) override {
    if (depth_ > 0) put(Cell::Kind::nested, "object");
    ++depth_;
    return true;
  }
  bool start_array(size_t) override {
    const bool fits = put(depth_ == 1 ? Cell::Kind::list : Cell::Kind::nested, "array");
    ++depth_;
    return fits;
  }
  bool end_object() override { return --depth_, true; }
  bool end_array() override { return --depth_, true; }

  bool key(string_t& name) override {
    if (depth_ == 1) cell_ = &row_.add(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    problem = concat("not valid JSON at column ", position, ": ", reason_of(error.what()));
    return false;
  }

 private:
  bool put(Cell::Kind kind, std::string_view text) {
    if (depth_ == 0) {
      problem = concat("wanted a JSON object, found ", text == "array" ? "an array" : name_of(kind));
      if (text == "array") problem += "; write one object a line, as jq -c '.[]' does";
      return false;
    }
    if (depth_ == 1) fill(*cell_, kind, text);
    if (depth_ == 2 && cell_->kind == Cell::Kind::list) fill(cell_->items.emplace_back(), kind, text);
    return true;
  }

  static void fill(Cell& cell, Cell::Kind kind, std::string_view text) {
    cell.kind = kind;
    cell.text.assign(text);
    cell.items.clear();
  }

  // The library's text is "[…] parse error at line 1, column 8: syntax error while parsing value - REASON;
  // last read: '…'"; the last part may be as long as the row.
  static std::string reason_of(std::string_view text) {
    if (const size_t at = text.find(" - "); at != text.npos) text.remove_prefix(at + 3);
    return std::string(text.substr(0, std::min(text.find("; last read"), size_t{120})));
  }

  Row& row_;
  Cell* cell_ = nullptr;  // of the last key at the top
  int depth_ = 0;
};

}  // namespace

void parse_json_row(std::string_view text, const std::string& path, Row& row) {
  RowEvents events(row);
  if (json::sax_parse(text.begin(), text.end(), &events)) return;  // which checks UTF-8 too
  const std::string problem = is_valid_utf8(text) ? events.problem : "not valid UTF-8";
  throw BadRow(concat(path, ":", row.line, ": ", problem));
}

}  // namespace sft
