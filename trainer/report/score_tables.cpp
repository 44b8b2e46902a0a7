#include "trainer/report/score_tables.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::pair<std::string, Json>>;  // name, {score: number}

bool is_flat(const Json& value) {
  return value.is_object() && !value.empty() &&
         std::ranges::none_of(value, [](const Json& entry) { return entry.is_structured(); });
}

std::vector<std::string> columns_of(const Rows& rows) {
  std::vector<std::string> columns;
  for (const auto& [name, scores] : rows)
    for (const auto& [key, value] : scores.items())
      if (std::ranges::find(columns, key) == columns.end()) columns.push_back(key);
  return columns;
}

double support_of(const Json& scores) {
  return scores.contains("support") && scores["support"].is_number() ? scores["support"].get<double>() : 0.0;
}

std::string cell(const std::string& column, const Json& value) {
  if (column != "f1" || !value.is_number()) return concat("<td class=n>", html(value_text(value)), "</td>");
  const double share = std::clamp(value.get<double>(), 0.0, 1.0);
  return concat("<td class=\"n bar\" style=\"--s:", std::round(share * 1000) / 10, "%\">", html(value_text(value)),
                "</td>");
}

std::string table(const std::string& title, const std::string& what, const Rows& rows) {
  const std::vector<std::string> columns = columns_of(rows);
  std::string head, body;
  for (const std::string& column : columns) head += concat("<th class=n>", html(metric_name(column)), "</th>");
  for (const auto& [name, scores] : rows) {
    body += concat("<tr><td>", html(name), "</td>");
    for (const std::string& column : columns) body += cell(column, scores.contains(column) ? scores[column] : Json());
    body += "</tr>";
  }
  return concat("<div class=\"tall\"><table class=\"sortable\"><caption>", html(title), "</caption><thead><tr><th>",
                html(what), "</th>", head, "</tr></thead><tbody>", body, "</tbody></table></div>\n");
}

}  // namespace

std::string score_tables(const Json& details) {
  std::string out;
  Rows means;
  for (const auto& [key, value] : details.items()) {
    if (is_flat(value)) {
      means.emplace_back(spoken(key), value);
    } else if (value.is_object() && !value.empty() && std::ranges::all_of(value, is_flat)) {
      Rows rows;
      for (const auto& [name, scores] : value.items()) rows.emplace_back(name, scores);
      std::ranges::stable_sort(
          rows, [](const auto& a, const auto& b) { return support_of(a.second) > support_of(b.second); });
      const std::string what = key.starts_with("per_") ? spoken(key.substr(4)) : "name";
      out +=
          table(concat("Scores ", key.starts_with("per_") ? "by " + what : "of " + spoken(key), " (", rows.size(), ")"),
                what, rows);
    }
  }
  return out + (means.empty() ? "" : table("Means", "over all", means));
}

}  // namespace sft
