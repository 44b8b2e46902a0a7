// One run: what came out, how it went, where it errs, and with which settings.
#include <algorithm>

#include "base/text.h"
#include "trainer/report/answer_tables.h"
#include "trainer/report/calibration_tables.h"
#include "trainer/report/confusion_tables.h"
#include "trainer/report/doubt_tables.h"
#include "trainer/report/html.h"
#include "trainer/report/mistake_tables.h"
#include "trainer/report/page.h"
#include "trainer/report/picture_gallery.h"
#include "trainer/report/row_tables.h"
#include "trainer/report/run_curves.h"
#include "trainer/report/run_facts.h"
#include "trainer/report/score_tables.h"
#include "trainer/report/settings_tables.h"

namespace sft {
namespace {

const char* state_class(RunRecord::State state) {
  switch (state) {
    case RunRecord::State::finished:
      return "good";
    case RunRecord::State::failed:
      return "bad";
    default:
      return "waiting";
  }
}

std::string header(const RunRecord& record) {
  const std::string model = record.text_setting("model.model_name_or_path"), task = record.text_setting("model.task");
  return concat("<header><h1>", html(record.name), "</h1><p><span class=\"state ", state_class(record.state), "\">",
                html(record.ending), "</span></p><p class=\"sub\">", html(spoken(task)), " with <code>", html(model),
                "</code>", record.last_heard.empty() ? "" : " · " + html(record.last_heard), " · <code>",
                html(record.directory), "</code></p></header>\n");
}

std::string tiles(const std::vector<Fact>& facts, const char* kind) {
  std::string out;
  for (const Fact& fact : facts)
    out += concat("<div><dt>", html(fact.name), "</dt><dd>", html(fact.value), "</dd><small>", html(fact.note),
                  "</small></div>");
  return out.empty() ? "" : concat("<dl class=\"tiles ", kind, "\">", out, "</dl>\n");
}

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : concat("<section><h2>", html(title), "</h2>\n", body, "</section>\n");
}

std::string metrics_table(const RunRecord& record) {
  const std::vector<MetricRow> metrics = metrics_of(record);
  const MetricWords words = words_of(record);
  const bool has_test = std::ranges::any_of(metrics, [](const MetricRow& row) { return !row.test.is_null(); });
  const bool is_validated =
      std::ranges::any_of(metrics, [](const MetricRow& row) { return !row.validation.is_null(); });
  const auto cell = [](bool here, const nlohmann::ordered_json& value) {
    return here ? concat("<td class=n>", html(value_text(value)), "</td>") : "";
  };
  std::string rows;
  for (const MetricRow& row : metrics)
    rows += concat("<tr><td>", html(metric_name(row.name, words)), "</td>", cell(has_test, row.test),
                   cell(is_validated, row.validation), "</tr>");
  if (rows.empty()) return "";
  return concat("<table><thead><tr><th>Metric</th>", has_test ? "<th class=n>Test</th>" : "",
                is_validated ? "<th class=n>Last validation</th>" : "", "</tr></thead><tbody>", rows,
                "</tbody></table>\n");
}

}  // namespace

std::string run_page(const RunRecord& record, const std::vector<SuspiciousRow>* suspicious) {
  const Details details = details_of(record);
  const std::string split = details.split.empty() ? "" : " (" + details.split + ")";
  return page(record.name,
              concat(header(record), tiles(results_of(record), "results"), tiles(circumstances_of(record), "small"),
                     section("How it went", charts_of(record)), section("All metrics", metrics_table(record)),
                     section("Where it errs" + split, confusion_tables(details.values)),
                     section("Are its probabilities right" + split, calibration_tables(details.values, record)),
                     section("Which rows it gets wrong (last validation)", mistake_tables(record)),
                     section("Which rows it gets wrong (test)", row_tables(review_rows(record))),
                     section("Rows that the model doubts (training)", doubt_tables(record)),
                     section("Labels that are likely wrong (training)", suspicion_table(suspicious)),
                     section("What it sees (test)", picture_gallery(record)),
                     section("What it answers (test)", answer_tables(record)),
                     section("Scores in detail" + split, score_tables(details.values)),
                     section("Settings", settings_tables(record))));
}

}  // namespace sft
