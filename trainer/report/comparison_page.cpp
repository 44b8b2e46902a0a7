// Several runs beside each other: what they were told differently, and what came of it.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "trainer/report/html.h"
#include "trainer/report/page.h"
#include "trainer/report/run_curves.h"
#include "trainer/report/run_facts.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

struct ComparedColumn {
  std::string name;
  std::vector<Json> values;  // one a run
};

// Settings that are not the same in all runs; where a run keeps its files is no setting of that kind.
std::vector<ComparedColumn> differing_settings(const std::vector<RunRecord>& records) {
  std::vector<std::string> keys;
  for (const RunRecord& record : records)
    for (const UsedSetting& setting : record.settings)
      if (std::ranges::find(keys, setting.key) == keys.end()) keys.push_back(setting.key);
  std::vector<ComparedColumn> columns;
  for (const std::string& key : keys) {
    if (key == "output_dir" || key == "sweep" || key.starts_with("sweep.")) continue;
    ComparedColumn column{key, {}};
    for (const RunRecord& record : records) column.values.push_back(record.text_setting(key));
    if (std::ranges::any_of(column.values, [&](const Json& value) { return value != column.values[0]; }))
      columns.push_back(std::move(column));
  }
  return columns;
}

std::vector<ComparedColumn> measured(const std::vector<RunRecord>& records) {
  std::vector<ComparedColumn> test, validation;
  const auto add = [&](std::vector<ComparedColumn>& columns, const std::string& name, size_t run, const Json& value) {
    if (value.is_null()) return;
    auto column = std::ranges::find(columns, name, &ComparedColumn::name);
    if (column == columns.end())
      column = columns.insert(column, ComparedColumn{name, std::vector<Json>(records.size())});
    column->values[run] = value;
  };
  for (size_t i = 0; i < records.size(); ++i)
    for (const MetricRow& row : metrics_of(records[i])) {
      add(test, "test " + row.name, i, row.test);
      add(validation, "validation " + row.name, i, row.validation);
    }
  test.insert(test.end(), std::make_move_iterator(validation.begin()), std::make_move_iterator(validation.end()));
  for (const char* fact : {"train_samples_per_second", "train_runtime", "global_step"})
    for (size_t i = 0; i < records.size(); ++i) add(test, fact, i, records[i].told({fact}));
  return test;
}

// Of numbers that differ, the best; NaN where there is none.
double best_of(const ComparedColumn& column) {
  double best = std::nan("");
  if (!column.name.starts_with("test ") && !column.name.starts_with("validation ")) return best;
  if (std::ranges::all_of(column.values, [&](const Json& value) { return value == column.values[0]; })) return best;
  const bool less = is_error(column.name);
  for (const Json& value : column.values)
    if (value.is_number() && (std::isnan(best) || (less ? value.get<double>() < best : value.get<double>() > best)))
      best = value.get<double>();
  return best;
}

std::string heading(const std::string& name, const MetricWords& words) {
  const size_t blank = name.find(' ');
  const std::string split = blank == std::string::npos ? "" : name.substr(0, blank + 1);
  return split + metric_name(name.substr(split.size()), words);
}

std::string table(const std::vector<RunRecord>& records) {
  const std::vector<ComparedColumn> settings = differing_settings(records), metrics = measured(records);
  const MetricWords words = records.empty() ? MetricWords() : words_of(records.front());
  std::string head, body;
  for (const ComparedColumn& column : settings) head += concat("<th><code>", html(column.name), "</code></th>");
  for (const ComparedColumn& column : metrics)
    head += concat("<th class=n>", html(heading(column.name, words)), "</th>");
  for (size_t i = 0; i < records.size(); ++i) {
    body += concat("<tr data-run=\"", i, "\"><td class=\"run\"><i class=\"c", i % 10, "\"></i><b>",
                   html(records[i].name), "</b><small>", html(records[i].ending), "</small></td>");
    for (const ComparedColumn& column : settings)
      body += concat("<td><code>", html(value_text(column.values[i])), "</code></td>");
    for (const ComparedColumn& column : metrics) {
      const bool is_best = column.values[i].is_number() && column.values[i].get<double>() == best_of(column);
      body += concat("<td class=\"n", is_best ? " best" : "", "\">", html(value_text(column.values[i])), "</td>");
    }
    body += "</tr>";
  }
  return concat("<div class=\"tall\"><table class=\"sortable runs\"><thead><tr><th>Run</th>", head,
                "</tr></thead><tbody>", body, "</tbody></table></div>\n");
}

}  // namespace

std::string comparison_page(const std::vector<RunRecord>& records) {
  std::vector<std::string> names;
  for (const RunRecord& record : records) names.push_back(record.name);
  const auto finished = std::ranges::count(records, RunRecord::State::finished, &RunRecord::state);
  std::string last;
  for (const RunRecord& record : records) last = std::max(last, record.last_heard);
  return page(join(names, ", "),
              concat("<header><h1>", records.size(), " runs</h1><p class=\"sub\">", finished, " finished · ",
                     html(last), "</p></header>\n<section><h2>What differs, and what came of it</h2>", table(records),
                     "<p class=\"note\">The best of a column is strong; click a heading to sort by it.</p></section>\n",
                     "<section><h2>How they went</h2>", charts_of(records), "</section>\n"));
}

}  // namespace sft
