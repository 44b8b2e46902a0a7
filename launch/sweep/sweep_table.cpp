#include "launch/sweep/sweep_table.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "base/text.h"
#include "base/utf8.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

// Columns of the printed table, beside the settings; the CSV has all.
const Row kPrinted{"exit_reason", "best_metric",     "eval_loss",     "eval_accuracy",
                   "eval_f1",     "eval_perplexity", "test_accuracy", "test_f1"};

std::string number_text(double value) {
  std::ostringstream out;
  out << std::setprecision(5) << value;
  return out.str();
}

using Spelling = std::string (*)(double);

// As few digits as tell the number from any other.
std::string exact_text(double value) { return Json(value).dump(); }

std::string cell(const Json& value, Spelling spell) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? spell(value.get<double>()) : value.dump();
}

std::string quoted_cell(std::string text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  for (size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
  return '"' + text + '"';
}

Row names_of(const SweepResults& results) {
  Row names;
  for (const TrialResult& trial : results.trials())
    for (const auto& [name, value] : trial.facts.items())
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  return names;
}

Row row_of(const TrialResult& trial, const Row& names, Spelling spell) {
  Row row{trial.name};
  row.insert(row.end(), trial.values.begin(), trial.values.end());
  for (const std::string& name : names) row.push_back(trial.facts.contains(name) ? cell(trial.facts[name], spell) : "");
  return row;
}

Row header(const std::string& first, const Row& parameters, const Row& names) {
  Row row{first};
  row.insert(row.end(), parameters.begin(), parameters.end());
  row.insert(row.end(), names.begin(), names.end());
  return row;
}

// "eval_f1 (macro)".
Row spoken(Row names, const MetricWords& words) {
  for (std::string& name : names)
    if (name.starts_with("eval_") || name.starts_with("test_")) name += escaped(words.remark(name.substr(5)));
  return names;
}

std::string in_columns(const std::vector<Row>& rows) {
  std::ostringstream out;
  for (const Row& row : rows) {
    for (size_t column = 0; column < row.size(); ++column) {
      int64_t width = 0;
      for (const Row& other : rows) width = std::max(width, num_characters(other[column]));
      out << row[column] << std::string(static_cast<size_t>(width - num_characters(row[column])) + 2, ' ');
    }
    out << '\n';
  }
  return out.str();
}

std::string spreads_text(const SweepResults& results) {
  const std::vector<Spread> spreads = results.spreads();
  if (spreads.empty()) return "";
  Row names, parameters = results.parameters();
  const std::vector<std::string> repeats = results.repeats();
  std::erase_if(parameters, [&](const std::string& name) { return std::ranges::find(repeats, name) != repeats.end(); });
  const std::string what = repeats.size() > 1 ? "folds and seeds" : repeats.front() == "seed" ? "seeds" : "folds";
  for (const Spread& spread : spreads)
    for (const Spread::Metric& metric : spread.metrics)
      if (std::ranges::find(kPrinted, metric.name) != kPrinted.end() && metric.name != "best_metric" &&
          std::ranges::find(names, metric.name) == names.end())
        names.push_back(metric.name);
  std::vector<Row> rows{header(repeats.size() > 1 ? "runs" : what, parameters, spoken(names, results.words()))};
  for (const Spread& spread : spreads) {
    Row row{std::to_string(spread.runs)};
    row.insert(row.end(), spread.values.begin(), spread.values.end());
    for (const std::string& name : names) {
      const auto metric = std::ranges::find(spread.metrics, name, &Spread::Metric::name);
      row.push_back(metric == spread.metrics.end()
                        ? ""
                        : concat(number_text(metric->mean), " ± ", std::setprecision(2), metric->deviation));
    }
    rows.push_back(std::move(row));
  }
  return concat("\nmean ± standard deviation over ", what, "\n", in_columns(rows));
}

}  // namespace

std::string csv_of(const SweepResults& results) {
  const Row names = names_of(results);
  std::vector<Row> rows{header("trial", results.parameters(), names)};
  for (const TrialResult& trial : results.trials()) rows.push_back(row_of(trial, names, exact_text));
  std::string text;
  for (Row& row : rows) {
    for (std::string& value : row) value = quoted_cell(std::move(value));
    text += join(row, ",") + "\n";
  }
  return text;
}

std::string text_of(const SweepResults& results) {
  Row names = names_of(results);
  std::erase_if(names, [](const std::string& name) { return std::ranges::find(kPrinted, name) == kPrinted.end(); });
  std::vector<Row> rows{header("trial", results.parameters(), spoken(names, results.words()))};
  for (const size_t i : results.ranking()) rows.push_back(row_of(results.trials()[i], names, number_text));
  return in_columns(rows) + spreads_text(results);
}

}  // namespace sft
