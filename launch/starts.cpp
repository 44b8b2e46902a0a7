#include "launch/starts.h"

#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file_ops.h"
#include "base/log.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "trainer/checkpoint/run_directory.h"

namespace sft {
namespace {

std::string count_in(const std::string& run_directory) { return run_directory + "/.starts"; }

int64_t newest_step(const std::string& run_directory) {
  const std::vector<int64_t> steps = steps_to_resume(run_directory);
  return steps.empty() ? 0 : steps.front();
}

// How often the run was started before at this step.
int earlier_starts(const std::string& run_directory, int64_t step) {
  const std::string path = count_in(run_directory);
  if (!std::filesystem::is_regular_file(path)) return 0;
  const auto count = nlohmann::json::parse(read_file(path), nullptr, false);
  return count.is_object() && count.value("step", int64_t{-1}) == step ? count.value("starts", 0) : 0;
}

// A batch script requeues what ended with this code, unless a person pressed Ctrl-C.
bool is_requeued(ExitCode code) { return code == ExitCode::requeue && stop_requested() != SIGINT; }

}  // namespace

void begin_start(const std::string& run_directory) {
  real_files().remove_all(run_directory + "/exit_status");
  const int64_t step = newest_step(run_directory);
  const int starts = earlier_starts(run_directory, step);
  if (starts >= kMostStarts)
    throw Error(
        ExitCode::crash_loop,
        concat(starts, " starts in a row of ", run_directory, " were ended before a new checkpoint, at step ", step,
               ". It is not requeued; look at what ended them (time limit, memory, preemption), or save more often "
               "(save.save_strategy = \"steps\"). The same command tries again"));
  write_atomically(real_files(), count_in(run_directory),
                   nlohmann::json{{"step", step}, {"starts", starts + 1}}.dump() + "\n");
}

void end_start(const std::string& run_directory, ExitCode code) {
  try {
    write_atomically(real_files(), run_directory + "/exit_status", concat(static_cast<int>(code), "\n"));
    if (!is_requeued(code)) real_files().remove_all(count_in(run_directory));
  } catch (const StorageError& error) {
    log::error(concat("the exit status could not be written: ", error.what()));
  }
}

}  // namespace sft
