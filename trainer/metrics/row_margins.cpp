#include "trainer/metrics/row_margins.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/progress.h"
#include "base/text.h"

namespace sft {

using nlohmann::ordered_json;

MarginSummary summary_of(const std::vector<RowMargin>& of_row) {
  double count = 0, margins = 0, probabilities = 0, squares = 0;
  for (const RowMargin& one : of_row) {
    if (!one.is_drawn()) continue;
    ++count;
    margins += one.margin;
    probabilities += one.probability;
  }
  const double mean = probabilities / count;
  for (const RowMargin& one : of_row)
    if (one.is_drawn()) squares += (one.probability - mean) * (one.probability - mean);
  return {margins / count, mean, std::sqrt(squares / count)};
}

RowMargins told_of(int64_t row, std::vector<RowMargin> epochs, const StringList& label_names) {
  const auto last = *std::find_if(epochs.rbegin(), epochs.rend(), [](const RowMargin& one) { return one.is_drawn(); });
  const MarginSummary summary = summary_of(epochs);
  return {row, label_names[static_cast<size_t>(last.label)], label_names[static_cast<size_t>(last.likely)], summary,
          std::move(epochs)};
}

std::string to_line(const RowMargins& row) {
  ordered_json margins = ordered_json::array();
  for (const RowMargin& one : row.epochs) margins.push_back(one.is_drawn() ? ordered_json(one.margin) : ordered_json());
  ordered_json line{{"row", row.row},
                    {"label", row.label},
                    {"likely_label", row.likely},
                    {"area_under_margin", row.summary.area_under_margin},
                    {"confidence", row.summary.confidence},
                    {"variability", row.summary.variability},
                    {"margins", std::move(margins)}};
  if (!row.place.empty()) line["place"] = row.place;
  if (!row.text.empty()) line["text"] = row.text;
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

std::vector<RowMargins> doubted_rows(const std::string& path) {
  std::vector<RowMargins> rows;
  std::ifstream lines(path, std::ios::binary);
  int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    beat();
    try {
      const ordered_json told = ordered_json::parse(line);
      RowMargins row{told.at("row"),
                     told.at("label"),
                     told.at("likely_label"),
                     {told.at("area_under_margin"), told.at("confidence"), told.at("variability")},
                     {},
                     told.value("place", std::string()),
                     told.value("text", std::string())};
      if (row.is_doubted()) rows.push_back(std::move(row));
    } catch (const ordered_json::exception& error) {
      throw DataError(concat(path, ":", number, ": is no line of margins: ", error.what()));
    }
  }
  std::ranges::stable_sort(rows, {}, [](const RowMargins& row) { return row.summary.area_under_margin; });
  return rows;
}

}  // namespace sft
