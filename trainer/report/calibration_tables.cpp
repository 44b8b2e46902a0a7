#include "trainer/report/calibration_tables.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "trainer/report/html.h"
#include "trainer/report/svg_number.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kError[] = "expected_calibration_error";
constexpr double kSide = 320, kEdge = 34;  // of the drawing, and of its margin for numbers

double x_of(double share) { return kEdge + share * (kSide - kEdge); }
double y_of(double share) { return (1 - share) * (kSide - kEdge) + 4; }

// Those that a file of a run may hold otherwise are left out.
Json whole_bins(const Json& calibration) {
  Json bins = Json::array();
  if (!calibration.is_object() || !calibration.contains("bins") || !calibration["bins"].is_array()) return bins;
  for (const Json& bin : calibration["bins"])
    if (std::ranges::all_of(std::array{"above", "up_to", "samples", "probability", "came_true"}, [&](const char* key) {
          return bin.is_object() && bin.contains(key) && bin[key].is_number();
        }))
      bins.push_back(bin);
  return bins;
}

// A bar a bin, as high as it came true, against the diagonal on which probabilities are right.
std::string plot(const Json& bins) {
  std::string bars, ticks;
  for (const Json& bin : bins) {
    const double left = x_of(bin["above"]), right = x_of(bin["up_to"]), top = y_of(bin["came_true"]);
    bars += concat("<rect x=\"", svg_number(left + 1), "\" y=\"", svg_number(top), "\" width=\"",
                   svg_number(right - left - 2),
                   "\" height=\"", svg_number(y_of(0) - top), "\" fill=\"var(--bar)\" stroke=\"currentColor\"/>");
  }
  for (const double share : {0.0, 0.5, 1.0})
    ticks += concat("<text x=\"", svg_number(x_of(share)), "\" y=\"", svg_number(y_of(0) + 16),
                    "\" text-anchor=\"middle\" fill=\"currentColor\" font-size=\"12\">", share, "</text>", "<text x=\"",
                    svg_number(kEdge - 6), "\" y=\"", svg_number(y_of(share) + 4),
                    "\" text-anchor=\"end\" fill=\"currentColor\" font-size=\"12\">", share, "</text>");
  return concat(
      "<figure class=\"chart\"><figcaption><b>Reliability</b> <small>across: probability, up: share that "
      "came true; on the line both are equal</small></figcaption><svg class=\"reliability\" role=\"img\" "
      "aria-label=\"Reliability\" viewBox=\"0 0 ",
      kSide + 12, " ", kSide, "\" style=\"max-width:420px;width:100%\">", bars, "<path d=\"M", svg_number(x_of(0)), " ",
      svg_number(y_of(0)), "L", svg_number(x_of(1)), " ", svg_number(y_of(1)),
      "\" stroke=\"currentColor\" stroke-dasharray=\"4 4\" fill=\"none\"/>", ticks, "</svg></figure>\n");
}

std::string table(const Json& bins) {
  std::string rows;
  for (const Json& bin : bins) {
    rows += concat("<tr><td>", html(number_text(bin["above"])), " to ", html(number_text(bin["up_to"])), "</td>");
    for (const char* key : {"samples", "probability", "came_true"})
      rows += concat("<td class=n>", html(value_text(bin[key])), "</td>");
    rows += "</tr>";
  }
  return concat(
      "<table><thead><tr><th>Probability</th><th class=n>How many</th><th class=n>Mean probability</th>"
      "<th class=n>Came true</th></tr></thead><tbody>",
      rows, "</tbody></table>\n");
}

std::string settled(const RunRecord& record) {
  const Json decisions = record.told({"decisions"});
  if (!decisions.is_object()) return "";
  std::string text;
  if (decisions.contains("temperature"))
    text += concat("<p>Temperature ", html(value_text(decisions["temperature"])), ", in the weights of model/: error ",
                   html(value_text(record.told({"decisions", "before", "calibration", kError}))), " before, ",
                   html(value_text(record.told({"decisions", "after", "calibration", kError}))),
                   " after, on the validation rows that it was chosen on.</p>\n");
  if (!decisions.contains("thresholds") || !decisions["thresholds"].is_object()) return text;
  std::string rows;
  for (const auto& [label, threshold] : decisions["thresholds"].items())
    rows += concat("<tr><td>", html(label), "</td><td class=n>", html(value_text(threshold)), "</td></tr>");
  return text + concat(
                    "<table><caption>Thresholds, chosen on the validation rows</caption><thead><tr><th>Label</th>"
                    "<th class=n>Given above</th></tr></thead><tbody>",
                    rows, "</tbody></table>\n");
}

}  // namespace

std::string calibration_tables(const Json& details, const RunRecord& record) {
  const Json calibration = details.is_object() ? details.value("calibration", Json()) : Json();
  const Json bins = whole_bins(calibration);
  std::string out;
  if (!bins.empty() && calibration.contains(kError))
    out = concat("<p>Expected calibration error ", html(value_text(calibration[kError])),
                 " (15 bins of equal width).</p>\n", plot(bins), table(bins));
  return out + settled(record);
}

}  // namespace sft
