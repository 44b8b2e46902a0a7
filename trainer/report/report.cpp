#include "trainer/report/report.h"

#include <filesystem>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"
#include "trainer/report/page.h"

namespace sft {

void write_report(const std::vector<std::string>& directories, const std::string& output) {
  std::vector<RunRecord> records;
  for (const std::string& directory : directories)
    for (const std::string& run : runs_at(directory)) records.push_back(read_run(run));
  write_atomically(real_files(), output, records.size() == 1 ? run_page(records[0]) : comparison_page(records));
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
