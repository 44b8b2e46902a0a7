// The formats, by extension.
#include <algorithm>
#include <limits>

#include "base/text.h"
#include "data/readers/conll.h"
#include "data/readers/csv.h"
#include "data/readers/jsonl.h"
#include "data/readers/reader.h"
#include "data/readers/squad.h"

namespace sft {
namespace {

struct Format {
  std::string_view extension;
  std::unique_ptr<Reader> (*open)(const std::string& path, const Place& begin, int64_t end);
  Stretch (*survey)(const std::string& path, int64_t begin, int64_t end);
  std::vector<std::string> (*columns)(const std::string& path);
};

template <char Delimiter, Quotes quotes>
constexpr Format csv_format(std::string_view extension) {
  return {extension, csv::open<Delimiter, quotes>, csv::survey<Delimiter, quotes>, csv::columns<Delimiter, quotes>};
}

constexpr Format kUnquoted[] = {csv_format<',', Quotes::letters>(".csv"), csv_format<'\t', Quotes::letters>(".tsv")};

constexpr Format kFormats[] = {
    {".jsonl", jsonl::open, jsonl::survey, jsonl::columns},
    {".json", jsonl::open, jsonl::survey, jsonl::columns},  // where it is not kSquad
    csv_format<',', Quotes::enclose>(".csv"),
    csv_format<'\t', Quotes::enclose>(".tsv"),
    {".conll", conll::open, conll::survey, conll::columns},
    {".bio", conll::open, conll::survey, conll::columns},
    {".iob", conll::open, conll::survey, conll::columns},
    {".txt", conll::open, conll::survey, conll::columns},
};

constexpr Format kSquad = {".json", squad::open, squad::survey, squad::columns};

const Format& format_of(const std::string& path, Quotes quotes) {
  for (const Format& format : kUnquoted) {
    if (quotes == Quotes::letters && path.ends_with(format.extension)) return format;
  }
  if (path.ends_with(kSquad.extension) && squad::is_squad(path)) return kSquad;
  for (const Format& format : kFormats) {
    if (path.ends_with(format.extension)) return format;
  }
  if (path.ends_with(".parquet")) {
    throw ConfigError(concat(path, ": Parquet is not built yet; convert it to .jsonl or .csv"));
  }
  throw ConfigError(
      concat(path,
             ": wanted a file named .jsonl, .json (one object a line, or SQuAD's questions), .csv, .tsv or, of tagged "
             "words, .conll, .bio, .iob or .txt"));
}

}  // namespace

Place behind(const Place& place, const Stretch& stretch) {
  return {place.byte + stretch.bytes, place.line + stretch.line_breaks, stretch.leaves[place.state]};
}

std::unique_ptr<Reader> open_reader(const std::string& path, const Place& begin, int64_t end, Quotes quotes) {
  return format_of(path, quotes).open(path, begin, end);
}

std::unique_ptr<Reader> open_reader(const std::string& path) {
  return open_reader(path, Place{}, std::numeric_limits<int64_t>::max());
}

Stretch survey(const std::string& path, int64_t begin, int64_t end, Quotes quotes) {
  return format_of(path, quotes).survey(path, begin, end);
}

std::vector<std::string> columns_of(const std::string& path, Quotes quotes) {
  return format_of(path, quotes).columns(path);
}

}  // namespace sft
