#include "trainer/report/row_tables.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

std::string bins_table(const std::string& title, const std::string& what, const std::vector<Bin>& bins) {
  std::string rows;
  for (const Bin& bin : bins) {
    const double right = bin.rows > 0 ? static_cast<double>(bin.right) / static_cast<double>(bin.rows) : 0;
    rows += concat("<tr><td>", html(bin.name), "</td><td class=n>", human_count(static_cast<double>(bin.rows)),
                   "</td><td class=n>", human_count(static_cast<double>(bin.rows - bin.right)),
                   "</td><td class=\"n bar\" style=\"--s:", std::round(right * 1000) / 10, "%\">", percent_text(right),
                   "</td></tr>");
  }
  return concat("<table><caption>", html(title), "</caption><thead><tr><th>", html(what),
                "</th><th class=n>Rows</th><th class=n>Errors</th><th class=n>Right</th></tr></thead><tbody>", rows,
                "</tbody></table>\n");
}

// "12" of "test.jsonl:12".
std::string line_of(const std::string& place) { return place.substr(place.rfind(':') + 1); }

constexpr size_t kMostWords = 60;

// The words, the redder the more they speak for the guess, the bluer the more against it.
std::string coloured(const Mistake& mistake) {
  if (mistake.words.empty()) return html(mistake.text);
  double strongest = 0;
  for (const ExplainedWord& word : mistake.words) strongest = std::max(strongest, std::abs(word.score));
  std::string out;
  for (size_t i = 0; i < std::min(mistake.words.size(), kMostWords); ++i) {
    const auto& [word, score] = mistake.words[i];
    const double share = strongest > 0 ? std::round(100 * std::abs(score) / strongest) : 0;
    out += concat(i == 0 ? "" : " ", "<span class=\"", score > 0 ? "for" : "against", "\" style=\"--s:", share,
                  "%\" title=\"", html(number_text(score)), "\">", html(word), "</span>");
  }
  return out + (mistake.words.size() > kMostWords ? " …" : "");
}

std::string mistakes_table(const std::vector<Mistake>& mistakes) {
  const bool are_explained = std::ranges::any_of(mistakes, [](const Mistake& one) { return !one.words.empty(); });
  std::string rows;
  for (const Mistake& mistake : mistakes)
    rows += concat("<tr><td class=n title=\"", html(mistake.place), "\">", html(line_of(mistake.place)),
                   "</td><td class=\"text\">", coloured(mistake), "</td><td>", html(mistake.truth), "</td><td>",
                   html(mistake.guess), "</td><td class=n>", html(number_text(mistake.score)), "</td></tr>");
  return concat(
      "<table class=\"wide\"><caption>The surest mistakes: wrong labels are often among them",
      are_explained ? ". Coloured words speak <span class=\"for\" style=\"--s:70%\">for</span> or "
                      "<span class=\"against\" style=\"--s:70%\">against</span> what was predicted"
                    : "",
      "</caption><thead><tr>"
      "<th class=n>Line</th><th>Text</th><th>Labelled</th><th>Predicted</th><th class=n>Score</th></tr></thead>"
      "<tbody>",
      rows, "</tbody></table>\n");
}

}  // namespace

std::string row_tables(const RowReview& review) {
  if (review.by_length.empty())
    return review.why_absent.empty()
               ? ""
               : concat("<p class=\"note\">Errors by length: ", html(review.why_absent), ".</p>\n");
  std::string out =
      concat("<div class=\"pair\">", bins_table("Errors by length of the text", "Characters", review.by_length),
             bins_table("Errors by score: how far a score can be trusted", "Score", review.by_score), "</div>\n");
  if (!review.surest.empty()) out += mistakes_table(review.surest);
  return out;
}

}  // namespace sft
