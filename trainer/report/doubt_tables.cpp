#include "trainer/report/doubt_tables.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "base/text.h"
#include "trainer/metrics/row_margins.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

constexpr size_t kMostDoubts = 50;

// A column of numbers.
template <class Row>
struct Measure {
  const char* heading;
  std::function<double(const Row&)> of;
};

template <class Row>
std::string table(const std::vector<Row>& rows, const char* caption, const std::vector<Measure<Row>>& measures) {
  std::string head, body;
  for (const Measure<Row>& measure : measures) head += concat("<th class=n>", measure.heading, "</th>");
  for (size_t i = 0; i < std::min(rows.size(), kMostDoubts); ++i) {
    const Row& row = rows[i];
    body += concat("<tr><td class=n title=\"", html(row.place), "\">", row.row, "</td><td class=\"text\">",
                   html(row.text), "</td><td>", html(row.label), "</td><td>", html(row.likely), "</td>");
    for (const Measure<Row>& measure : measures)
      body += concat("<td class=n>", html(number_text(measure.of(row))), "</td>");
    body += "</tr>";
  }
  return concat("<div class=\"tall\"><table class=\"wide\"><caption>", human_count(static_cast<double>(rows.size())),
                caption, "</caption><thead><tr><th class=n>Row</th><th>Text</th><th>Labelled</th><th>Rather</th>", head,
                "</tr></thead><tbody>", body, "</tbody></table></div>\n");
}

std::string table(const std::vector<RowMargins>& rows) {
  return table<RowMargins>(
      rows,
      " rows for which another label was ahead of the given one over the epochs, the most doubted first: wrong labels "
      "are among them",
      {{"Margin", [](const RowMargins& row) { return row.summary.area_under_margin; }},
       {"Confidence", [](const RowMargins& row) { return row.summary.confidence; }},
       {"Variability", [](const RowMargins& row) { return row.summary.variability; }}});
}

std::string table(const std::vector<SuspiciousRow>& rows) {
  return table<SuspiciousRow>(
      rows,
      " rows whose label is likely wrong by the word of models that have not seen them, the likeliest mistake first",
      {{"Confidence", [](const SuspiciousRow& row) { return row.self_confidence; }},
       {"Margin", [](const SuspiciousRow& row) { return row.margin; }}});
}

}  // namespace

std::string suspicion_table(const std::vector<SuspiciousRow>* rows) {
  if (rows == nullptr) return "";
  return rows->empty() ? "<p class=\"note\">No label is likely wrong.</p>\n" : table(*rows);
}

std::string doubt_tables(const RunRecord& record) {
  const std::string path = record.directory + "/" + kRowMarginsFile;
  if (!std::filesystem::is_regular_file(path) || !record.has_left_margins()) return "";
  try {
    const std::vector<RowMargins> rows = doubted_rows(path);
    return rows.empty() ? "<p class=\"note\">No training row was doubted over the epochs.</p>\n" : table(rows);
  } catch (const std::exception& error) {
    return concat("<p class=\"note\">Doubted rows: ", html(error.what()), ".</p>\n");
  }
}

}  // namespace sft
