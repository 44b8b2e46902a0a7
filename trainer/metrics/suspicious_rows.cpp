#include "trainer/metrics/suspicious_rows.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

using nlohmann::ordered_json;

std::string to_line(const SuspiciousRow& row) {
  ordered_json line{{"row", row.row}};
  if (!row.place.empty()) line["place"] = row.place;
  line["label"] = row.label;
  line["likely_label"] = row.likely;
  line["self_confidence"] = row.self_confidence;
  line["margin"] = row.margin;
  if (!row.text.empty()) line["text"] = row.text;
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

std::vector<SuspiciousRow> suspicious_rows(const std::string& path) {
  if (!std::filesystem::is_regular_file(path))
    throw ConfigError(concat(in_quotes(path, 400), ": no such file; `sft-dist noise CONFIG --folds 5` writes one"));
  std::vector<SuspiciousRow> rows;
  std::ifstream lines(path, std::ios::binary);
  for (std::string line; std::getline(lines, line);) {
    try {
      const ordered_json told = ordered_json::parse(line);
      rows.push_back({.row = told.at("row"),
                      .label = told.at("label"),
                      .likely = told.at("likely_label"),
                      .self_confidence = told.at("self_confidence"),
                      .margin = told.at("margin"),
                      .place = told.value("place", std::string()),
                      .text = told.value("text", std::string())});
    } catch (const ordered_json::exception& error) {
      throw DataError(concat(path, ":", rows.size() + 1, ": is no row of `sft-dist noise --folds`: ", error.what()));
    }
  }
  return rows;
}

}  // namespace sft
