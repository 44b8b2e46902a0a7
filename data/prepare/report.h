// Counting, merging over ranks and storing of a PrepareReport.
#pragma once

#include <string>

#include "data/prepare/prepare.h"

namespace sft {

void count_label(PrepareReport& report, int64_t label);
void count_length(PrepareReport& report, int64_t units);
void count_bad_row(PrepareReport& report, const std::string& message);
void count_note(PrepareReport& report, const std::string& note, const std::string& example = "");

// The rows of .tsv files that span lines, which one quote too many makes them do. Told as a warning, once the whole is
// known.
inline constexpr char kJoinsLines[] = "rows of .tsv files span lines";
void warn_of_joined_lines(PrepareReport& report);

// Adds the counts of a part that comes behind in the order of rows.
void append(PrepareReport& report, const PrepareReport& part);

std::string to_json(const PrepareReport& report);

// Throws the JSON library's errors where the JSON is not of to_json().
PrepareReport report_from_json(const std::string& text);

}  // namespace sft
