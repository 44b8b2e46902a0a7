#include "trainer/report/confusion_tables.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostPairs = 20;
constexpr size_t kMostNumbered = 16;  // classes of a matrix that shows its numbers
constexpr size_t kMostDrawn = 120;    // classes of a matrix that is drawn at all

struct Matrix {
  std::vector<std::string> labels;
  std::vector<std::vector<int64_t>> counts;  // [truth][prediction]
  std::vector<int64_t> truths;               // sums of rows

  int64_t errors() const {
    int64_t sum = 0;
    for (size_t i = 0; i < labels.size(); ++i) sum += truths[i] - counts[i][i];
    return sum;
  }
};

// Empty where the details are of another shape.
Matrix matrix_of(const Json& details) {
  Matrix matrix;
  if (!details.is_object() || !details.contains("labels") || !details.contains("confusion_matrix")) return {};
  for (const Json& label : details["labels"]) matrix.labels.push_back(value_text(label));
  for (const Json& row : details["confusion_matrix"]) {
    auto& counts = matrix.counts.emplace_back();
    for (const Json& count : row) counts.push_back(count.is_number() ? count.get<int64_t>() : 0);
    if (counts.size() != matrix.labels.size()) return {};
    matrix.truths.push_back(0);
    for (const int64_t count : counts) matrix.truths.back() += count;
  }
  return matrix.counts.size() == matrix.labels.size() ? matrix : Matrix{};
}

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string pairs_table(const Matrix& matrix) {
  struct Pair {
    size_t truth, guess;
    int64_t count;
  };
  std::vector<Pair> pairs;
  for (size_t i = 0; i < matrix.labels.size(); ++i)
    for (size_t j = 0; j < matrix.labels.size(); ++j)
      if (i != j && matrix.counts[i][j] > 0) pairs.push_back({i, j, matrix.counts[i][j]});
  if (pairs.empty()) return "<p>No row was mistaken for another class.</p>\n";
  std::ranges::stable_sort(pairs, std::greater{}, &Pair::count);
  const size_t shown = std::min(pairs.size(), kMostPairs);
  int64_t covered = 0;
  std::string rows;
  for (size_t k = 0; k < shown; ++k) {
    const auto& [truth, guess, count] = pairs[k];
    covered += count;
    rows += concat("<tr><td>", html(matrix.labels[truth]), "</td><td>", html(matrix.labels[guess]), "</td><td class=n>",
                   count, "</td><td class=n>", percent_text(share(count, matrix.truths[truth])), "</td></tr>");
  }
  return concat(
      "<table class=\"sortable\"><caption>Most confused pairs",
      shown < pairs.size() ? concat(": ", shown, " of ", pairs.size(), ", ",
                                    percent_text(share(covered, matrix.errors())), " of all errors")
                           : "",
      "</caption><thead><tr><th>True class</th><th>Predicted</th><th class=n>Rows</th><th class=n>Of the true "
      "class</th></tr></thead><tbody>",
      rows, "</tbody></table>\n");
}

// Few classes: a table of numbers on coloured ground. The ground is the share of the true class.
std::string numbered_matrix(const Matrix& matrix) {
  std::string head, body;
  for (const std::string& label : matrix.labels) head += concat("<th class=\"up\"><span>", html(label), "</span></th>");
  for (size_t i = 0; i < matrix.labels.size(); ++i) {
    body += concat("<tr><th>", html(matrix.labels[i]), "</th>");
    for (size_t j = 0; j < matrix.labels.size(); ++j) {
      const double part = share(matrix.counts[i][j], matrix.truths[i]);
      body += concat("<td class=\"", i == j ? "hit" : "miss",
                     "\" style=\"--s:", std::round(part * 1000) / 10, "%\" title=\"", html(matrix.labels[i]), " → ",
                     html(matrix.labels[j]), ": ", matrix.counts[i][j], " (", percent_text(part), ")\">",
                     matrix.counts[i][j] > 0 ? std::to_string(matrix.counts[i][j]) : "", "</td>");
    }
    body += "</tr>";
  }
  return concat(
      "<table class=\"matrix\"><caption>Confusion matrix: rows are the true class, columns the predicted one"
      "</caption><thead><tr><th></th>",
      head, "</tr></thead><tbody>", body, "</tbody></table>\n");
}

// Many classes: a picture, a cell a pair that occurs; the script says which is under the pointer.
std::string drawn_matrix(const Matrix& matrix) {
  const size_t n = matrix.labels.size();
  std::string cells;
  auto numbers = Json::array();
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      if (matrix.counts[i][j] == 0) continue;
      const double part = std::sqrt(share(matrix.counts[i][j], matrix.truths[i]));  // small shares are to be seen too
      cells += concat("<rect x=\"", j, "\" y=\"", i, "\" class=\"", i == j ? "hit" : "miss", "\" opacity=\"",
                      std::round((0.12 + 0.88 * part) * 100) / 100, "\"/>");
      numbers.push_back({i, j, matrix.counts[i][j]});
    }
  const Json data{{"labels", matrix.labels}, {"truths", matrix.truths}, {"cells", std::move(numbers)}};
  return concat(
      "<figure class=\"drawn\"><figcaption>Confusion matrix: rows are the true class, columns the predicted "
      "one, in the order of the label ids; the diagonal is right. <output></output></figcaption>"
      "<svg viewBox=\"0 0 ",
      n, " ", n, "\" shape-rendering=\"crispEdges\">", cells, "</svg><script type=\"application/json\">",
      json_in_html(data), "</script></figure>\n");
}

}  // namespace

std::string confusion_tables(const Json& details) {
  const Matrix matrix = matrix_of(details);
  if (matrix.labels.size() < 2) return "";
  if (matrix.labels.size() <= 3) return numbered_matrix(matrix);
  const std::string whole = matrix.labels.size() <= kMostNumbered ? numbered_matrix(matrix)
                            : matrix.labels.size() <= kMostDrawn  ? drawn_matrix(matrix)
                                                                  : "";
  return concat("<div class=\"pair\">", pairs_table(matrix), whole, "</div>\n");
}

}  // namespace sft
