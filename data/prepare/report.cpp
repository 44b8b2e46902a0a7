#include "data/prepare/report.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

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
  if (report.labels_are_sets) {
    int64_t all = 0;
    for (const int64_t count : counts) all += count;
    const double a_row = static_cast<double>(all) / static_cast<double>(std::max(report.num_rows, int64_t{1}));
    out += concat(", any number of them a row, ", std::round(100 * a_row) / 100, " on average");
  }
  return out + concat(": from ", named(least), " to ", named(most), " ", report.labels_are_of);
}

std::string lengths_line(const PrepareReport& report) {
  StringList parts;
  for (size_t i = 0; i < report.length_histogram.size(); ++i) {
    const int64_t count = report.length_histogram[i];
    if (count == 0) continue;
    const int64_t low = int64_t{1} << i;
    parts.push_back(concat(low, "–", 2 * low - 1, ": ", human_count(static_cast<double>(count))));
  }
  const char* counted = report.num_samples == report.num_rows ? "rows" : "samples";
  return concat("\n  ", counted, " by ", report.units_are, ": ", join(parts, " · "));
}

// Of the units, in percent: one digit behind the point below 10.
double share(const PrepareReport& report) {
  const double percent =
      100.0 * static_cast<double>(report.trained_units) / static_cast<double>(std::max<int64_t>(report.total_units, 1));
  return percent < 10 ? std::round(10 * percent) / 10 : std::round(percent);
}

// "rows have …" of one row becomes "row has …".
std::string note_line(std::string what, const Note& note) {
  constexpr std::string_view kMany = "rows have ";
  if (note.num_rows == 1 && what.starts_with(kMany)) what.replace(0, kMany.size(), "row has ");
  return concat("\n  ", note.num_rows > 0 ? human_count(static_cast<double>(note.num_rows)) + " " : "", what,
                note.first.empty() ? "" : ". The first: ", note.first);
}

}  // namespace

void count_label(PrepareReport& report, int64_t label) { add_at(report.label_counts, static_cast<size_t>(label), 1); }

void count_length(PrepareReport& report, int64_t units) {
  report.total_units += units;
  add_at(report.length_histogram, static_cast<size_t>(std::bit_width(static_cast<uint64_t>(units))) - 1, 1);
}

void count_bad_row(PrepareReport& report, const std::string& message) {
  ++report.bad_rows;
  if (report.bad_row_examples.size() < kMostExamples) report.bad_row_examples.push_back(message);
}

void count_note(PrepareReport& report, const std::string& what, const std::string& example) {
  Note& note = report.notes[what];
  if (note.num_rows++ == 0) note.first = example;
}

void warn_of_joined_lines(PrepareReport& report) {
  const auto found = report.notes.find(kJoinsLines);
  if (found == report.notes.end()) return;
  report.warnings.push_back(concat(human_count(static_cast<double>(found->second.num_rows)), " ", kJoinsLines,
                                   ", because a cell begins with a quote; the first: ", found->second.first,
                                   ". Where quotes are letters, as in GLUE's files, set data.quoting = 'none'"));
  report.notes.erase(found);
}

void append(PrepareReport& report, const PrepareReport& part) {
  report.shards.insert(report.shards.end(), part.shards.begin(), part.shards.end());
  report.num_rows += part.num_rows;
  report.num_samples += part.num_samples;
  report.bad_rows += part.bad_rows;
  report.truncated_rows += part.truncated_rows;
  report.total_units += part.total_units;
  if (part.trained_units >= 0) report.trained_units = std::max<int64_t>(report.trained_units, 0) + part.trained_units;
  for (size_t i = 0; i < part.label_counts.size(); ++i) add_at(report.label_counts, i, part.label_counts[i]);
  for (size_t i = 0; i < part.length_histogram.size(); ++i)
    add_at(report.length_histogram, i, part.length_histogram[i]);
  for (const auto& [what, more] : part.notes) {
    Note& note = report.notes[what];
    if (note.first.empty()) note.first = more.first;
    note.num_rows += more.num_rows;
  }
  for (const std::string& example : part.bad_row_examples) {
    if (report.bad_row_examples.size() < kMostExamples) report.bad_row_examples.push_back(example);
  }
}

std::string to_json(const PrepareReport& report) {
  json notes = json::object();
  for (const auto& [what, note] : report.notes) notes[what] = {note.num_rows, note.first};
  const json out = {{"shards", report.shards},
                    {"rows", report.num_rows},
                    {"samples", report.num_samples},
                    {"bad_rows", report.bad_rows},
                    {"bad_row_examples", report.bad_row_examples},
                    {"truncated_rows", report.truncated_rows},
                    {"total_units", report.total_units},
                    {"trained_units", report.trained_units},
                    {"warnings", report.warnings},
                    {"rows_are", report.rows_are},
                    {"units_are", report.units_are},
                    {"problem_type", report.problem_type},
                    {"num_targets", report.num_targets},
                    {"label_names", report.label_names},
                    {"label_counts", report.label_counts},
                    {"labels_are_of", report.labels_are_of},
                    {"labels_are_sets", report.labels_are_sets},
                    {"length_histogram", report.length_histogram},
                    {"notes", notes}};
  return out.dump(1, ' ', false, json::error_handler_t::replace);
}

PrepareReport report_from_json(const std::string& text) {
  const json in = json::parse(text);
  PrepareReport report;
  in.at("shards").get_to(report.shards);
  in.at("rows").get_to(report.num_rows);
  in.at("samples").get_to(report.num_samples);
  in.at("bad_rows").get_to(report.bad_rows);
  in.at("bad_row_examples").get_to(report.bad_row_examples);
  in.at("truncated_rows").get_to(report.truncated_rows);
  in.at("total_units").get_to(report.total_units);
  in.at("trained_units").get_to(report.trained_units);
  in.at("warnings").get_to(report.warnings);
  in.at("rows_are").get_to(report.rows_are);
  in.at("units_are").get_to(report.units_are);
  in.at("problem_type").get_to(report.problem_type);
  in.at("num_targets").get_to(report.num_targets);
  in.at("label_names").get_to(report.label_names);
  in.at("label_counts").get_to(report.label_counts);
  in.at("labels_are_of").get_to(report.labels_are_of);
  in.at("labels_are_sets").get_to(report.labels_are_sets);
  in.at("length_histogram").get_to(report.length_histogram);
  for (const auto& [what, note] : in.at("notes").items())
    report.notes[what] = {note.at(0).get<int64_t>(), note.at(1).get<std::string>()};
  return report;
}

std::string describe(const PrepareReport& report, const std::string& split) {
  const auto human = [](int64_t count) { return human_count(static_cast<double>(count)); };
  std::string out = concat(split, ": ", human(report.num_rows), " ", report.rows_are);
  if (report.num_samples != report.num_rows) out += concat(", ", human(report.num_samples), " samples");
  if (!report.units_are.empty()) out += concat(", ", human(report.total_units), " ", report.units_are);
  if (report.trained_units >= 0)
    out += concat(", ", human(report.trained_units), " of them trained (", share(report), " %)");
  out += concat(" in ", report.shards.size(), report.shards.size() == 1 ? " shard" : " shards",
                report.reused ? ", prepared before" : "");
  if (report.truncated_rows > 0) out += concat(", ", human(report.truncated_rows), " cut to max_length");
  if (report.bad_rows > 0) out += concat(", ", human(report.bad_rows), " bad rows left out");
  for (const std::string& example : report.bad_row_examples) out += "\n  left out: " + example;
  for (const auto& [what, note] : report.notes) out += note_line(what, note);
  if (!report.label_counts.empty()) out += labels_line(report);
  return report.units_are.empty() ? out : out + lengths_line(report);
}

}  // namespace sft
