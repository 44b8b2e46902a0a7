// Starts of a run and how they end, in its directory: exit_status, which never outlives its start. For rank 0.
#pragma once

#include <string>

#include "base/errors.h"

namespace sft {

// Removes the exit_status of the start before: an end by SIGKILL must not leave an older one's.
void begin_start(const std::string& run_directory);

// Writes exit_status, the number alone: mpirun may change a rank's code. A failure is told.
void end_start(const std::string& run_directory, ExitCode code);

}  // namespace sft
