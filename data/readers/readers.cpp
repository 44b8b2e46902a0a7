// The formats, by extension.
#include <algorithm>
#include <limits>

#include "base/text.h"
#include "data/native/decompressed.h"
#include "data/readers/conll.h"
#include "data/readers/csv.h"
#include "data/readers/json_array.h"
#include "data/readers/jsonl.h"
#include "data/readers/reader.h"
#include "data/readers/squad.h"
#include "data/readers/table.h"

namespace sft {
namespace {

constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();

struct Format {
  std::string_view extension;
  std::unique_ptr<Reader> (*open)(const std::string& path, const Place& begin, int64_t end);
  Stretch (*survey)(const std::string& path, int64_t begin, int64_t end);
  std::vector<std::string> (*columns)(const std::string& path);
};

std::vector<std::string> names_of_first_row(Reader& reader) {
  Row row;
  while (true) {
    try {
      return reader.next(row) ? row.names() : std::vector<std::string>{};
    } catch (const BadRow&) {
      continue;  // told, or counted, when the rows are read
    }
  }
}

template <std::unique_ptr<Reader> (*open)(const std::string&, const Place&, int64_t)>
std::vector<std::string> columns_by(const std::string& path) {
  return names_of_first_row(*open(path, Place{}, kNoEnd));
}

// The rows of a range that begins where none start.
class NoRows final : public Reader {
  bool next(Row& /*row*/) override { return false; }
};

// Nothing that a reader asks for depends on what stands before.
Stretch passed_over(const std::string& /*path*/, int64_t begin, int64_t end) { return {.bytes = end - begin}; }

// Of formats whose rows all start at the file's first byte.
template <std::unique_ptr<Reader> (*open)(const std::string&)>
std::unique_ptr<Reader> open_whole(const std::string& path, const Place& begin, int64_t /*end*/) {
  if (begin.byte > 0) return std::make_unique<NoRows>();
  return open(path);
}

template <char Delimiter, Quotes quotes>
constexpr Format csv_format(std::string_view extension) {
  return {extension, csv::open<Delimiter, quotes>, csv::survey<Delimiter, quotes>, csv::columns<Delimiter, quotes>};
}

constexpr Format lines_format(std::string_view extension) {
  return {extension, jsonl::open, jsonl::survey, columns_by<jsonl::open>};
}

constexpr Format words_format(std::string_view extension) {
  return {extension, conll::open, conll::survey, columns_by<conll::open>};
}

template <std::unique_ptr<Reader> (*open)(const std::string&)>
constexpr Format document_format() {
  return {".json", open_whole<open>, passed_over, columns_by<open_whole<open>>};
}

template <TableKind kind>
constexpr Format table_format(std::string_view extension) {
  return {extension, table::open<kind>, passed_over, table::columns<kind>};
}

constexpr Format kUnquoted[] = {csv_format<',', Quotes::letters>(".csv"), csv_format<'\t', Quotes::letters>(".tsv")};

constexpr Format kFormats[] = {
    lines_format(".jsonl"),
    lines_format(".json"),  // where it is none of the documents
    csv_format<',', Quotes::enclose>(".csv"),
    csv_format<'\t', Quotes::enclose>(".tsv"),
    words_format(".conll"),
    words_format(".bio"),
    words_format(".iob"),
    words_format(".txt"),
};

constexpr Format kTables[] = {table_format<TableKind::parquet>(".parquet"), table_format<TableKind::arrow>(".arrow"),
                              table_format<TableKind::arrow>(".feather")};

constexpr Format kSquad = document_format<squad::open>();
constexpr Format kArray = document_format<json_array::open>();

template <size_t count>
const Format* named(const Format (&formats)[count], std::string_view name) {
  const auto found = std::ranges::find_if(formats, [&](const Format& f) { return name.ends_with(f.extension); });
  return found == std::end(formats) ? nullptr : found;
}

const Format& format_of(const std::string& path, Quotes quotes) {
  const std::string_view name = uncompressed_name(path);
  if (const Format* table = named(kTables, name)) {
    if (name == path) return *table;
    throw ConfigError(concat(path, ": a ", table->extension.substr(1),
                             " file is compressed inside, column by column, and not as a whole; unpack it first"));
  }
  if (quotes == Quotes::letters)
    if (const Format* unquoted = named(kUnquoted, name)) return *unquoted;
  if (name.ends_with(kSquad.extension) && squad::is_squad(path)) return kSquad;
  if (name.ends_with(kArray.extension) && json_array::is_array(path)) return kArray;
  if (const Format* format = named(kFormats, name)) return *format;
  throw ConfigError(concat(
      path,
      ": wanted a file named .jsonl, .json (one object a line, an array of objects, or SQuAD's questions), .csv, "
      ".tsv or, of tagged words, .conll, .bio, .iob or .txt, each also with .gz or .zst behind it; or .parquet, "
      ".arrow or .feather"));
}

}  // namespace

Place behind(const Place& place, const Stretch& stretch) {
  return {place.byte + stretch.bytes, place.line + stretch.line_breaks, stretch.leaves[place.state]};
}

bool is_row_file(const std::string& path) {
  const std::string_view name = uncompressed_name(path);
  return named(kFormats, name) != nullptr || named(kTables, name) != nullptr;
}

// What is compressed can be read from its beginning alone.
std::unique_ptr<Reader> open_reader(const std::string& path, const Place& begin, int64_t end, Quotes quotes) {
  if (!is_compressed(path)) return format_of(path, quotes).open(path, begin, end);
  if (begin.byte > 0) return std::make_unique<NoRows>();
  return format_of(path, quotes).open(path, Place{}, kNoEnd);
}

std::unique_ptr<Reader> open_reader(const std::string& path) { return open_reader(path, Place{}, kNoEnd); }

Stretch survey(const std::string& path, int64_t begin, int64_t end, Quotes quotes) {
  if (is_compressed(path)) return passed_over(path, begin, end);
  return format_of(path, quotes).survey(path, begin, end);
}

std::vector<std::string> columns_of(const std::string& path, Quotes quotes) {
  return format_of(path, quotes).columns(path);
}

}  // namespace sft
