#include "data/readers/table.h"

#include <cassert>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "data/readers/json_row.h"

namespace sft::table {
namespace {

// Values one after the other, as native/src/cells.rs writes them, which this trusts.
class Values {
 public:
  explicit Values(std::string_view bytes) : rest_(bytes) {}

  char kind() {
    const char kind = rest_.front();
    rest_.remove_prefix(1);
    return kind;
  }

  bool ends(char bracket) {
    if (rest_.front() != bracket) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view sized() {
    const auto size = number<uint32_t>();
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  std::string_view name() {
    kind();  // a text
    return sized();
  }

  void read(Cell& cell) {
    cell.items.clear();
    cell.names.clear();
    cell.is_real = cell.is_cut = false;
    const auto put = [&cell](Cell::Kind kind, std::string_view text) {
      cell.kind = kind;
      cell.text.assign(text);
    };
    switch (kind()) {
      case 'T':
        return put(Cell::Kind::boolean, "true");
      case 'F':
        return put(Cell::Kind::boolean, "false");
      case 'I':
        return put(Cell::Kind::number, sized());
      case 'R':
        put(Cell::Kind::number, shortest(number<double>()));
        cell.is_real = true;
        return;
      case 'S':
        return put(Cell::Kind::text, sized());
      case 'B':
        return put(Cell::Kind::bytes, sized());
      case 'X':
        put(Cell::Kind::nested, "object");
        cell.is_cut = true;
        return;
      case '[':
        put(Cell::Kind::list, "array");
        while (!ends(']')) read(cell.items.emplace_back());
        return;
      case '{':
        put(Cell::Kind::nested, "object");
        while (!ends('}')) {
          cell.names.emplace_back(name());
          read(cell.items.emplace_back());
        }
        return;
      default:
        return put(Cell::Kind::null, "");
    }
  }

 private:
  template <class Number>
  Number number() {
    Number value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }

  std::string_view rest_;
};

class TableReader final : public Reader {
 public:
  TableReader(const std::string& path, TableKind kind, int64_t begin, int64_t end)
      : path_(path), table_(path, kind, begin, end) {}

  bool next(Row& row) override {
    std::string_view bytes;
    if (!table_.next(bytes, row.line)) return false;
    Values values(bytes);
    if (values.kind() == 'E') throw BadRow(concat(path_, ":", row.line, ": ", values.sized()));
    row.clear();
    while (!values.ends('}')) {
      const std::string_view name = values.name();
      if (row.find(name) != nullptr) row.twice = name;
      values.read(row.add(name));
    }
    return true;
  }

 private:
  std::string path_;
  NativeTable table_;
};

}  // namespace

template <TableKind kind>
std::unique_ptr<Reader> open(const std::string& path, const Place& begin, int64_t end) {
  return std::make_unique<TableReader>(path, kind, begin.byte, end);
}

template <TableKind kind>
std::vector<std::string> columns(const std::string& path) {
  NativeTable table(path, kind, 0, 0);
  Values values(table.columns());
  std::vector<std::string> names;
  for (values.kind(); !values.ends(']');) names.emplace_back(values.name());
  return names;
}

template std::unique_ptr<Reader> open<TableKind::parquet>(const std::string&, const Place&, int64_t);
template std::unique_ptr<Reader> open<TableKind::arrow>(const std::string&, const Place&, int64_t);
template std::vector<std::string> columns<TableKind::parquet>(const std::string&);
template std::vector<std::string> columns<TableKind::arrow>(const std::string&);

}  // namespace sft::table
