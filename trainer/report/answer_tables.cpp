#include "trainer/report/answer_tables.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"
#include "trainer/report/html.h"

namespace sft {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShown = 10;        // of each end
constexpr size_t kMostBytes = 1200;  // of a text
constexpr int64_t kMostAnswers = 100'000;

struct Answer {
  int64_t line = 0;
  double loss = 0;
  std::string prompt, reference, said;
  bool stopped = false;
};

std::string text_in(const Json& row, const char* key) {
  return row.contains(key) && row[key].is_string() ? row[key].get<std::string>() : "";
}

// With their line breaks; cut at the start of a character.
std::string shown(const std::string& text) {
  size_t end = std::min(text.size(), kMostBytes);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::string out;
  for (size_t begin = 0; begin < end;) {
    const size_t line_end = std::min(text.find('\n', begin), end);
    out += html(std::string_view(text).substr(begin, line_end - begin));
    if (line_end < end) out += "<br>";
    begin = line_end + 1;
  }
  return out + (end < text.size() ? "…" : "");
}

std::vector<Answer> answers_of(const RunRecord& record) {
  if (!record.has_left_predictions()) return {};
  std::ifstream lines(record.directory + "/predictions.jsonl", std::ios::binary);
  std::vector<Answer> answers;
  int64_t number = 0;
  for (std::string line; number < kMostAnswers && std::getline(lines, line);) {
    const Json row = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    ++number;
    if (!row.is_object() || !row.contains("reference") || !row.contains("loss") || !row["loss"].is_number()) continue;
    answers.push_back({number, row["loss"], text_in(row, "prompt"), text_in(row, "reference"),
                       text_in(row, "prediction"), text_in(row, "finish") == "stop"});
  }
  std::ranges::stable_sort(answers, {}, &Answer::loss);
  return answers;
}

std::string table(const char* caption, const std::vector<Answer>& answers) {
  std::string rows;
  for (const Answer& answer : answers)
    rows += concat("<tr><td class=n>", answer.line, "</td><td class=\"text\">", shown(answer.prompt),
                   "</td><td class=\"text\">", shown(answer.reference), "</td><td class=\"text\">", shown(answer.said),
                   answer.stopped ? "" : " <em>(cut by its length)</em>", "</td><td class=n>",
                   html(number_text(answer.loss)), "</td></tr>");
  return concat("<table class=\"wide\"><caption>", caption,
                "</caption><thead><tr><th class=n>Line</th><th>Prompt</th><th>Reference</th><th>Answer</th><th "
                "class=n>Loss</th></tr></thead><tbody>",
                rows, "</tbody></table>\n");
}

}  // namespace

std::string answer_tables(const RunRecord& record) {
  const std::vector<Answer> answers = answers_of(record);
  if (answers.empty()) return "";
  const auto best = static_cast<std::ptrdiff_t>(std::min(kShown, (answers.size() + 1) / 2));
  const auto worst = static_cast<std::ptrdiff_t>(std::min(kShown, answers.size() - static_cast<size_t>(best)));
  std::string out = table("Lowest loss on the reference", {answers.begin(), answers.begin() + best});
  if (worst > 0) out += table("Highest loss on the reference", {answers.end() - worst, answers.end()});
  return out;
}

}  // namespace sft
