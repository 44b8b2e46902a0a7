// One self-contained page of a run, or of several beside each other.
#include "trainer/report/report.h"

#include <filesystem>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/agree.h"
#include "launch/commands/commands.h"
#include "launch/ownership.h"
#include "launch/run_directory.h"
#include "trainer/report/run_record.h"

namespace sft {
namespace {

// Nothing where the run has no config that can be read.
StringList files_read_by(const std::string& run) {
  try {
    return read_by(kept_config(run));
  } catch (const Error&) {
    return {};
  }
}

// That a report is made from, and what its runs read.
std::vector<std::string> files_of_runs(const std::vector<std::string>& directories) {
  std::vector<std::string> files;
  for (const std::string& directory : directories)
    for (const std::string& run : runs_at(directory)) {
      for (const char* name : {"config.toml", "metrics.jsonl", "summary.json", "predictions.jsonl", "exit_status"})
        files.push_back(run + "/" + name);
      const StringList of_run = files_read_by(run);
      files.insert(files.end(), of_run.begin(), of_run.end());
    }
  return files;
}

// "": no rows were named.
std::string suspicious_in(const Arguments& arguments) {
  const auto found = arguments.forms.find("--suspicious");
  return found == arguments.forms.end() ? "" : found->second;
}

}  // namespace

// A run's report lies in its directory, one of several here, unless --output says where.
ExitCode report(const Arguments& arguments, Job& job) {
  const bool is_one_run = arguments.inputs.size() == 1 && std::filesystem::is_directory(arguments.inputs[0]);
  const std::string output = !arguments.output.empty() ? arguments.output
                             : is_one_run ? (std::filesystem::path(arguments.inputs[0]) / "report.html").string()
                                          : "report.html";
  together(job.control(), [&] {
    if (job.control().rank() != 0) return;
    std::vector<std::string> read = files_of_runs(arguments.inputs);
    const std::string suspicious = suspicious_in(arguments);
    if (!suspicious.empty()) read.push_back(suspicious);
    write_report(arguments.inputs, output_beside_runs("--output", output, read), suspicious);
  });
  if (job.control().rank() == 0) log::info(concat("report: ", output));
  return ExitCode::done;
}

}  // namespace sft
