#include "data/readers/csv.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "base/utf8.h"
#include "data/readers/csv_scanner.h"
#include "data/readers/window.h"

namespace sft::csv {
namespace {

// Records one after another, as the bytes between line breaks that stand outside quotes.
class Records {
 public:
  Records(const std::string& path, const Scanner& scanner, const Place& begin)
      : window_(path, begin.byte), scanner_(scanner), line_(begin.line), state_(static_cast<State>(begin.state)) {
    if (begin.byte == 0) window_.consume(window_.byte_order_mark());
  }

  const std::string& path() const { return window_.path(); }
  Place place() const { return {window_.position(), line_, kRecordStart}; }

  // Passes over the rest of a record that started before, without keeping it.
  void finish_started() {
    if (state_ == kRecordStart) return;
    do {
      const std::string_view bytes = window_.bytes();
      const size_t end = scanner_.find_end(bytes, 0, state_);
      leave(end == std::string_view::npos ? bytes.size() : end);
      if (end != std::string_view::npos) return;
    } while (window_.more());
    state_ = kRecordStart;
  }

  // The next record that starts before `limit` and is not blank, without its line break, and the line it
  // starts in; false where there is none. `record` is valid until the next call.
  bool next(std::string_view& record, int64_t& line, int64_t limit) {
    do {
      if (window_.position() >= limit) return false;
      size_t searched = 0, end = 0;
      State state = kRecordStart;
      while ((end = scanner_.find_end(window_.bytes(), searched, state)) == std::string_view::npos) {
        searched = window_.bytes().size();
        if (static_cast<int64_t>(searched) > kMostRowBytes) fail_open_quote("within 64 MiB");
        if (window_.more()) continue;
        if (searched == 0) return false;
        if (state == kQuoted) fail_open_quote("before the end of the file");
        end = searched;
        break;
      }
      record = window_.bytes().substr(0, end);
      line = line_;
      leave(end);
      if (record.ends_with('\n')) record.remove_suffix(1);
      if (record.ends_with('\r')) record.remove_suffix(1);
    } while (record.empty());
    return true;
  }

 private:
  void leave(size_t count) {
    const std::string_view gone = window_.bytes().substr(0, count);
    line_ += std::count(gone.begin(), gone.end(), '\n');
    window_.consume(count);
  }

  [[noreturn]] void fail_open_quote(std::string_view where) const {
    throw DataError(
        concat(path(), ":", line_, ": the row that starts here does not end ", where,
               ": is a quote left open? Inside a quoted cell a quote is written twice; where quotes are letters, as "
               "in GLUE's files, set data.quoting = 'none'"));
  }

  FileWindow window_;
  const Scanner& scanner_;
  int64_t line_;
  State state_;
};

struct Dialect {
  char delimiter;
  Quotes quotes;
};

// Calls `put(text)` on each cell of a record; returns what is wrong with it, "" where nothing is.
template <class Put>
std::string_view split(std::string_view record, const Dialect& dialect, const Put& put) {
  const char delimiter = dialect.delimiter;
  std::string text;
  while (true) {
    if (dialect.quotes == Quotes::letters || !record.starts_with('"')) {
      const size_t end = std::min(record.find(delimiter), record.size());
      put(record.substr(0, end));
      record.remove_prefix(end);
    } else {
      text.clear();
      record.remove_prefix(1);
      while (true) {
        const size_t quote = record.find('"');  // the scanner saw that it is there
        text += record.substr(0, quote);
        record.remove_prefix(quote + 1);
        if (!record.starts_with('"')) break;
        text += '"';
        record.remove_prefix(1);
      }
      if (!record.empty() && record.front() != delimiter) {
        return "text follows a closing quote; inside a quoted cell a quote is written twice (where quotes are letters: "
               "data.quoting = 'none')";
      }
      put(text);
    }
    if (record.empty()) return "";
    record.remove_prefix(1);
  }
}

struct Header {
  std::vector<std::string> names;
  Place end;
};

Header read_header(const std::string& path, const Scanner& scanner, const Dialect& dialect) {
  Records records(path, scanner, Place{});
  std::string_view record;
  int64_t line = 0;
  if (!records.next(record, line, std::numeric_limits<int64_t>::max())) return {{}, records.place()};

  Header header;
  const auto fail = [&](const std::string& problem) { throw DataError(concat(path, ":", line, ": ", problem)); };
  if (!is_valid_utf8(record)) fail("the header is " + utf8_problem(record));
  if (record.find('\0') != record.npos)
    fail("the header holds zero bytes, as UTF-16 does: iconv -f UTF-16LE -t UTF-8 (or UTF-16BE) converts it");
  const std::string_view problem =
      split(record, dialect, [&](std::string_view name) { header.names.emplace_back(name); });
  if (!problem.empty()) fail(std::string(problem));
  std::vector<std::string> sorted = header.names;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    fail(concat("the header names the column ", in_quotes(*twice), " twice",
                twice->empty() ? "; delimiters at the ends of lines make columns without a name: take them away"
                               : "; give each a name of its own"));
  header.end = records.place();
  return header;
}

class CsvReader final : public Reader {
 public:
  CsvReader(const std::string& path, const Place& begin, int64_t end, const Dialect& dialect)
      : dialect_(dialect),
        end_(end),
        scanner_(dialect.delimiter, dialect.quotes),
        header_(read_header(path, scanner_, dialect)),
        records_(path, scanner_, begin.byte < header_.end.byte ? header_.end : begin) {}

  bool next(Row& row) override {
    records_.finish_started();
    std::string_view record;
    if (!records_.next(record, row.line, end_)) return false;

    const auto fail = [&](const std::string& problem) {
      throw BadRow(concat(records_.path(), ":", row.line, ": ", problem));
    };
    if (!is_valid_utf8(record)) fail(utf8_problem(record));
    row.clear();
    row.num_lines = 1 + std::count(record.begin(), record.end(), '\n');
    size_t count = 0;
    const std::string_view problem = split(record, dialect_, [&](std::string_view text) {
      if (count < header_.names.size()) {
        Cell& cell = row.add(header_.names[count]);
        cell.kind = Cell::Kind::plain;
        cell.text.assign(text);
      }
      ++count;
    });
    if (!problem.empty()) fail(std::string(problem));
    if (count != header_.names.size()) {
      fail(concat("the row has ", count, " cells, the header has ", header_.names.size()));
    }
    return true;
  }

 private:
  Dialect dialect_;
  int64_t end_;
  Scanner scanner_;
  Header header_;
  Records records_;
};

}  // namespace

template <char Delimiter, Quotes quotes>
std::unique_ptr<Reader> open(const std::string& path, const Place& begin, int64_t end) {
  return std::make_unique<CsvReader>(path, begin, end, Dialect{Delimiter, quotes});
}

template <char Delimiter, Quotes quotes>
Stretch survey(const std::string& path, int64_t begin, int64_t end) {
  const Scanner scanner(Delimiter, quotes);
  Stretch stretch;
  // The mark is no part of the first cell, which may begin with a quote.
  stretch.bytes = std::clamp(byte_order_mark(InputFile(path)) - begin, int64_t{0}, end - begin);
  for_each_block(path, begin + stretch.bytes, end, [&](std::string_view block) { scanner.extend(stretch, block); });
  return stretch;
}

template <char Delimiter, Quotes quotes>
std::vector<std::string> columns(const std::string& path) {
  return read_header(path, Scanner(Delimiter, quotes), {Delimiter, quotes}).names;
}

template std::unique_ptr<Reader> open<',', Quotes::enclose>(const std::string&, const Place&, int64_t);
template Stretch survey<',', Quotes::enclose>(const std::string&, int64_t, int64_t);
template std::vector<std::string> columns<',', Quotes::enclose>(const std::string&);
template std::unique_ptr<Reader> open<',', Quotes::letters>(const std::string&, const Place&, int64_t);
template Stretch survey<',', Quotes::letters>(const std::string&, int64_t, int64_t);
template std::vector<std::string> columns<',', Quotes::letters>(const std::string&);
template std::unique_ptr<Reader> open<'\t', Quotes::enclose>(const std::string&, const Place&, int64_t);
template Stretch survey<'\t', Quotes::enclose>(const std::string&, int64_t, int64_t);
template std::vector<std::string> columns<'\t', Quotes::enclose>(const std::string&);
template std::unique_ptr<Reader> open<'\t', Quotes::letters>(const std::string&, const Place&, int64_t);
template Stretch survey<'\t', Quotes::letters>(const std::string&, int64_t, int64_t);
template std::vector<std::string> columns<'\t', Quotes::letters>(const std::string&);

}  // namespace sft::csv
