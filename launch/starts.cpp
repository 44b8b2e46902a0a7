#include "launch/starts.h"

#include "base/file_ops.h"
#include "base/log.h"
#include "base/text.h"

namespace sft {

void begin_start(const std::string& run_directory) { real_files().remove_all(run_directory + "/exit_status"); }

void end_start(const std::string& run_directory, ExitCode code) {
  try {
    write_atomically(real_files(), run_directory + "/exit_status", concat(static_cast<int>(code), "\n"));
  } catch (const StorageError& error) {
    log::error(concat("the exit status could not be written: ", error.what()));
  }
}

}  // namespace sft
