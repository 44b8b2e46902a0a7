// Prints the rows of files, a JSON object each: {"line", "row"}, or {"problem"} of a malformed one, {"error", "code"}
// where nothing can follow. A file is read whole and in ranges; {"cut"} tells of ranges that give other rows.
#include <filesystem>
#include <iostream>
#include <limits>

#include "base/text.h"
#include "data/readers/cell_json.h"
#include "data/readers/reader.h"

using sft::Place, sft::Row;
using Json = nlohmann::ordered_json;

namespace {

Json json_of_row(const Row& row) {
  Json out = Json::object();
  for (const std::string& name : row.names()) {
    try {
      out[name] = sft::json_of(*row.find(name));
    } catch (const sft::CellProblem& problem) {
      out[name] = problem.what;
    }
  }
  return {{"line", row.line}, {"row", out}};
}

std::string rows_of(const std::string& path, const Place& begin, int64_t end) {
  std::string out;
  const auto reader = sft::open_reader(path, begin, end);
  for (Row row;;) {
    Json told;
    try {
      if (!reader->next(row)) return out;
      told = json_of_row(row);
    } catch (const sft::BadRow& problem) {
      told = {{"problem", problem.what()}};
    }
    out += told.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
}

std::string rows_in_ranges(const std::string& path, int64_t count) {
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  std::string out;
  Place place;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = size * i / count, end = size * (i + 1) / count;
    place.byte = begin;
    out += rows_of(path, place, end);
    place = behind(place, sft::survey(path, begin, end));
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    std::cout << Json{{"file", path}}.dump() << '\n';
    try {
      std::cout << Json{{"columns", sft::columns_of(path)}}.dump() << '\n';
      const std::string whole = rows_of(path, {}, std::numeric_limits<int64_t>::max());
      std::cout << whole;
      for (const int64_t count : {2, 7})
        if (rows_in_ranges(path, count) != whole) std::cout << Json{{"cut", count}}.dump() << '\n';
    } catch (const sft::Error& error) {
      const Json told{{"error", error.what()}, {"code", static_cast<int>(error.code())}};
      std::cout << told.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    }
  }
}
