#include "launch/sweep_table.h"

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file_ops.h"
#include "base/text.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

// Columns of the printed table, beside the settings; the CSV has all.
const std::vector<std::string> kPrinted{"trial",         "exit_reason", "best_metric",   "eval_loss",
                                        "eval_accuracy", "eval_f1",     "test_accuracy", "test_f1"};

// One flat object a trial: run facts, then eval_* and test_*.
Json facts_of(const std::string& path) {
  if (!std::filesystem::exists(path)) return {{"exit_reason", "not finished"}};
  const Json summary = Json::parse(read_file(path), nullptr, false);
  if (!summary.is_object()) return {{"exit_reason", "unreadable summary.json"}};
  Json facts;
  for (const char* name : {"exit_reason", "global_step", "best_metric"}) facts[name] = summary.value(name, Json());
  for (const auto& [part, prefix] : {std::pair{"metrics", "eval_"}, {"test_metrics", "test_"}}) {
    if (!summary.contains(part) || !summary[part].is_object()) continue;
    for (const auto& [name, value] : summary[part].items())
      if (value.is_number() && name != "step" && name != "samples" && name != "seconds") facts[prefix + name] = value;
  }
  return facts;
}

std::string cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  std::ostringstream out;
  out << std::setprecision(5) << value.get<double>();
  return out.str();
}

std::string quoted_cell(std::string text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  for (size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
  return '"' + text + '"';
}

}  // namespace

SweepTable::SweepTable(const SweepPlan& plan, const std::vector<ExitCode>& codes, const std::string& directory)
    : num_settings_(plan.parameters.size()) {
  std::vector<Json> facts;
  std::vector<std::string> names;
  for (size_t i = 0; i < plan.trials.size(); ++i) {
    facts.push_back(codes[i] == ExitCode::done
                        ? facts_of(directory + "/" + plan.trials[i].name + "/summary.json")
                        : Json{{"exit_reason", concat("exit code ", static_cast<int>(codes[i]))}});
    for (const auto& [name, value] : facts.back().items())
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  rows_.push_back({"trial"});
  rows_[0].insert(rows_[0].end(), plan.parameters.begin(), plan.parameters.end());
  rows_[0].insert(rows_[0].end(), names.begin(), names.end());
  for (size_t i = 0; i < plan.trials.size(); ++i) {
    Row row{plan.trials[i].name};
    for (const std::string& setting : plan.trials[i].overrides) row.push_back(setting.substr(setting.find('=') + 1));
    for (const std::string& name : names) row.push_back(facts[i].contains(name) ? cell(facts[i][name]) : "");
    rows_.push_back(std::move(row));
  }
}

std::string SweepTable::csv() const {
  std::string text;
  for (const Row& row : rows_) {
    Row cells;
    for (const std::string& value : row) cells.push_back(quoted_cell(value));
    text += join(cells, ",") + "\n";
  }
  return text;
}

std::string SweepTable::text() const {
  std::ostringstream out;
  for (const Row& row : rows_) {
    for (size_t column = 0; column < row.size(); ++column) {
      if (column > num_settings_ && std::find(kPrinted.begin(), kPrinted.end(), rows_[0][column]) == kPrinted.end())
        continue;
      size_t width = 0;
      for (const Row& other : rows_) width = std::max(width, other[column].size());
      out << std::left << std::setw(static_cast<int>(width) + 2) << row[column];
    }
    out << '\n';
  }
  return out.str();
}

}  // namespace sft
