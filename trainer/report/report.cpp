#include "trainer/report/report.h"

#include <filesystem>
#include <optional>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "trainer/report/page.h"

namespace sft {

void write_report(const std::vector<std::string>& directories, const std::string& output,
                  const std::string& suspicious) {
  std::vector<RunRecord> records;
  for (const std::string& directory : directories)
    for (const std::string& run : runs_at(directory)) records.push_back(read_run(run));
  if (!suspicious.empty() && records.size() != 1)
    throw ConfigError(concat("--suspicious: rows stand on the page of one run, and ", records.size(), " are named"));
  std::optional<std::vector<SuspiciousRow>> rows;
  if (!suspicious.empty()) rows = suspicious_rows(suspicious);
  write_atomically(real_files(), output,
                   records.size() == 1 ? run_page(records[0], rows ? &*rows : nullptr) : comparison_page(records));
}

void leave_report(const std::string& directory) { leave_report({directory}, directory + "/report.html"); }

void leave_report(const std::vector<std::string>& directories, const std::string& output) {
  try {
    write_report(directories, output);
  } catch (const std::exception& error) {
    log::warn(concat("no report: ", error.what()));
  }
}

}  // namespace sft
