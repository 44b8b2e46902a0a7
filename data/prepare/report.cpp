#include "data/prepare/report.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "data/readers/target_form.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr size_t kMostExamples = 5;

void add_at(std::vector<int64_t>& counts, size_t i, int64_t more) {
  if (counts.size() <= i) counts.resize(i + 1);
  counts[i] += more;
}

std::string labels_line(const PrepareReport& report) {
  const auto& counts = report.label_counts;
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  const auto named = [&](std::vector<int64_t>::const_iterator it) {
    return concat(in_quotes(report.label_names[static_cast<size_t>(it - counts.begin())], 40), " with ",
                  human_count(static_cast<double>(*it)));
  };
  std::string out = concat("\n  ", counts.size(), " labels");
  if (report.target == TargetForm::label_set) {
    int64_t all = 0;
    for (const int64_t count : counts) all += count;
    const double a_row = static_cast<double>(all) / static_cast<double>(std::max(report.rows, int64_t{1}));
    out += concat(", any number of them a row, ", std::round(100 * a_row) / 100, " on average");
  }
  return out + concat(": from ", named(least), " to ", named(most),
                      report.target == TargetForm::token_labels ? " words" : " rows");
}

std::string lengths_line(const PrepareReport& report) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < report.length_histogram.size(); ++i) {
    const int64_t count = report.length_histogram[i];
    if (count == 0) continue;
    const int64_t low = int64_t{1} << i;
    parts.push_back(concat(low, "–", 2 * low - 1, ": ", human_count(static_cast<double>(count))));
  }
  return "\n  rows by tokens: " + join(parts, " · ");
}

}  // namespace

void count_broken_row(PrepareReport& report, const std::string& message) {
  if (report.broken_rows++ == 0) report.broken_example = message;
}

void count_row(PrepareReport& report, int64_t num_tokens, bool truncated, const std::vector<int64_t>& labels) {
  ++report.rows;
  report.total_tokens += num_tokens;
  if (truncated) ++report.truncated_rows;
  for (const int64_t label : labels) add_at(report.label_counts, static_cast<size_t>(label), 1);
  add_at(report.length_histogram, static_cast<size_t>(std::bit_width(static_cast<uint64_t>(num_tokens))) - 1, 1);
}

void count_bad_row(PrepareReport& report, const std::string& message) {
  ++report.bad_rows;
  if (report.bad_row_examples.size() < kMostExamples) report.bad_row_examples.push_back(message);
}

void append(PrepareReport& report, const PrepareReport& part) {
  report.shards.insert(report.shards.end(), part.shards.begin(), part.shards.end());
  report.rows += part.rows;
  report.bad_rows += part.bad_rows;
  report.truncated_rows += part.truncated_rows;
  report.total_tokens += part.total_tokens;
  if (report.broken_rows == 0) report.broken_example = part.broken_example;
  report.broken_rows += part.broken_rows;
  for (size_t i = 0; i < part.label_counts.size(); ++i) add_at(report.label_counts, i, part.label_counts[i]);
  for (size_t i = 0; i < part.length_histogram.size(); ++i)
    add_at(report.length_histogram, i, part.length_histogram[i]);
  for (const auto& [note, count] : part.notes) report.notes[note] += count;
  for (const std::string& example : part.bad_row_examples) {
    if (report.bad_row_examples.size() < kMostExamples) report.bad_row_examples.push_back(example);
  }
}

std::string to_json(const PrepareReport& report) {
  const json out = {{"shards", report.shards},
                    {"rows", report.rows},
                    {"bad_rows", report.bad_rows},
                    {"bad_row_examples", report.bad_row_examples},
                    {"truncated_rows", report.truncated_rows},
                    {"total_tokens", report.total_tokens},
                    {"target", name_of(report.target)},
                    {"num_targets", report.num_targets},
                    {"broken_rows", report.broken_rows},
                    {"broken_example", report.broken_example},
                    {"label_names", report.label_names},
                    {"label_counts", report.label_counts},
                    {"length_histogram", report.length_histogram},
                    {"height", report.height},
                    {"width", report.width},
                    {"notes", report.notes}};
  return out.dump(1, ' ', false, json::error_handler_t::replace);
}

PrepareReport report_from_json(const std::string& text) {
  const json in = json::parse(text);
  PrepareReport report;
  in.at("shards").get_to(report.shards);
  in.at("rows").get_to(report.rows);
  in.at("bad_rows").get_to(report.bad_rows);
  in.at("bad_row_examples").get_to(report.bad_row_examples);
  in.at("truncated_rows").get_to(report.truncated_rows);
  in.at("total_tokens").get_to(report.total_tokens);
  report.target = target_form_named(in.at("target").get<std::string>()).value();
  in.at("num_targets").get_to(report.num_targets);
  in.at("broken_rows").get_to(report.broken_rows);
  in.at("broken_example").get_to(report.broken_example);
  in.at("label_names").get_to(report.label_names);
  in.at("label_counts").get_to(report.label_counts);
  in.at("length_histogram").get_to(report.length_histogram);
  report.height = in.value("height", int64_t{0});
  report.width = in.value("width", int64_t{0});
  report.notes = in.value("notes", report.notes);
  return report;
}

std::string describe(const PrepareReport& report, const std::string& split) {
  const auto rows = static_cast<double>(report.rows);
  const auto tokens = static_cast<double>(report.total_tokens);
  const std::string content = report.height > 0 ? concat(" images of ", report.height, " × ", report.width)
                                                : concat(" rows, ", human_count(tokens), " tokens");
  std::string out = concat(split, ": ", human_count(rows), content, " in ", report.shards.size(),
                           report.shards.size() == 1 ? " shard" : " shards", report.reused ? ", prepared before" : "");
  if (report.truncated_rows > 0)
    out += concat(", ", human_count(static_cast<double>(report.truncated_rows)), " cut to max_length");
  if (report.bad_rows > 0) out += concat(", ", human_count(static_cast<double>(report.bad_rows)), " bad rows left out");
  if (report.broken_rows > 0)
    out += concat("\n  ", human_count(static_cast<double>(report.broken_rows)),
                  report.broken_rows == 1 ? " row has" : " rows have",
                  " an I- tag that continues no entity; it begins one, as for conlleval and seqeval. The first: ",
                  report.broken_example);
  for (const std::string& example : report.bad_row_examples) out += "\n  left out: " + example;
  for (const auto& [note, count] : report.notes)
    out += count == 0 ? "\n  " + note : concat("\n  ", human_count(static_cast<double>(count)), " ", note);
  if (!report.label_counts.empty()) out += labels_line(report);
  if (report.target == TargetForm::values)
    out += concat("\n  ", report.num_targets, report.num_targets == 1 ? " real number" : " real numbers", " a row");
  return report.height > 0 ? out : out + lengths_line(report);
}

}  // namespace sft
