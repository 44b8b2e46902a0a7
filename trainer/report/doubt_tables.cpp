#include "trainer/report/doubt_tables.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "trainer/metrics/row_margins.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

constexpr size_t kMostDoubts = 50;

std::string table(const std::vector<RowMargins>& rows) {
  std::string body;
  for (size_t i = 0; i < std::min(rows.size(), kMostDoubts); ++i) {
    const RowMargins& row = rows[i];
    body += concat("<tr><td class=n title=\"", html(row.place), "\">", row.row, "</td><td class=\"text\">",
                   html(row.text), "</td><td>", html(row.label), "</td><td>", html(row.likely), "</td><td class=n>",
                   html(number_text(row.summary.area_under_margin)), "</td><td class=n>",
                   html(number_text(row.summary.confidence)), "</td><td class=n>",
                   html(number_text(row.summary.variability)), "</td></tr>");
  }
  return concat(
      "<div class=\"tall\"><table class=\"wide\"><caption>", human_count(static_cast<double>(rows.size())),
      " rows for which another label was ahead of the given one over the epochs, the most doubted first: wrong labels "
      "are among them</caption><thead><tr><th class=n>Row</th><th>Text</th><th>Labelled</th><th>Rather</th>"
      "<th class=n>Margin</th><th class=n>Confidence</th><th class=n>Variability</th></tr></thead><tbody>",
      body, "</tbody></table></div>\n");
}

std::string table(const std::vector<SuspiciousRow>& rows) {
  std::string body;
  for (size_t i = 0; i < std::min(rows.size(), kMostDoubts); ++i) {
    const SuspiciousRow& row = rows[i];
    body += concat("<tr><td class=n title=\"", html(row.place), "\">", row.row, "</td><td class=\"text\">",
                   html(row.text), "</td><td>", html(row.label), "</td><td>", html(row.likely), "</td><td class=n>",
                   html(number_text(row.self_confidence)), "</td><td class=n>", html(number_text(row.margin)),
                   "</td></tr>");
  }
  return concat("<div class=\"tall\"><table class=\"wide\"><caption>", human_count(static_cast<double>(rows.size())),
                " rows whose label is likely wrong by the word of models that have not seen them, the likeliest "
                "mistake first</caption><thead><tr><th class=n>Row</th><th>Text</th><th>Labelled</th><th>Rather</th>"
                "<th class=n>Confidence</th><th class=n>Margin</th></tr></thead><tbody>",
                body, "</tbody></table></div>\n");
}

}  // namespace

std::string suspicion_table(const std::vector<SuspiciousRow>* rows) {
  if (rows == nullptr) return "";
  return rows->empty() ? "<p class=\"note\">No label is likely wrong.</p>\n" : table(*rows);
}

std::string doubt_tables(const RunRecord& record) {
  const std::string path = record.directory + "/" + kRowMarginsFile;
  if (!std::filesystem::is_regular_file(path)) return "";
  try {
    const std::vector<RowMargins> rows = doubted_rows(path);
    return rows.empty() ? "<p class=\"note\">No training row was doubted over the epochs.</p>\n" : table(rows);
  } catch (const std::exception& error) {
    return concat("<p class=\"note\">Doubted rows: ", html(error.what()), ".</p>\n");
  }
}

}  // namespace sft
