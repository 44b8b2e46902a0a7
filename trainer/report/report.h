// The report of a run, or of several beside each other: one page to keep, to mail, to open without a network.
#pragma once

#include <string>
#include <vector>

namespace sft {

// Reads the run directories (a folder of runs, such as a sweep's, stands for all in it) and writes the page to
// `output`. Of one run alone: with the rows of `suspicious` (suspicious_rows.h), unless that is "". ConfigError where a
// directory is none, or where there are rows and several runs; StorageError where the page cannot be written.
void write_report(const std::vector<std::string>& directories, const std::string& output,
                  const std::string& suspicious = "");

// The same, where what goes wrong is told as a warning: a report fails no run.
void leave_report(const std::vector<std::string>& directories, const std::string& output);
// A run's own, to directory/report.html.
void leave_report(const std::string& directory);

// For a terminal: how the run ended, its numbers, its weakest classes, where its files lie.
std::string run_in_words(const std::string& directory);

}  // namespace sft
