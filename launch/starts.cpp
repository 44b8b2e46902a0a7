#include "launch/starts.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "trainer/checkpoint/run_directory.h"

namespace sft {
namespace {

std::string path_in(const std::string& run_directory) { return run_directory + "/.starts"; }

int64_t newest_step(const std::string& run_directory) {
  const std::vector<int64_t> steps = list_run(run_directory).steps;
  return steps.empty() ? 0 : steps.front();
}

// How often the run was started before at this step.
int earlier_starts(const std::string& run_directory, int64_t step) {
  const std::string path = path_in(run_directory);
  if (!std::filesystem::is_regular_file(path)) return 0;
  const auto count = nlohmann::json::parse(read_file(path), nullptr, false);
  return count.is_object() && count.value("step", int64_t{-1}) == step ? count.value("starts", 0) : 0;
}

}  // namespace

void count_start(const std::string& run_directory) {
  const int64_t step = newest_step(run_directory);
  const int starts = earlier_starts(run_directory, step);
  if (starts >= kMostStarts) {
    forget_starts(run_directory);
    throw Error(
        ExitCode::crash_loop,
        concat(starts, " starts in a row of ", run_directory, " were ended before a new checkpoint, at step ", step,
               ". It is not requeued; look at what ended them (time limit, memory, preemption), or save more "
               "often (save.save_strategy = \"steps\"). The same command tries again"));
  }
  write_atomically(real_files(), path_in(run_directory),
                   nlohmann::json{{"step", step}, {"starts", starts + 1}}.dump() + "\n");
}

void forget_starts(const std::string& run_directory) {
  std::error_code ignored;
  std::filesystem::remove(path_in(run_directory), ignored);
}

}  // namespace sft
