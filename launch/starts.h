// Starts of a run and how they end, in its directory: exit_status, which never outlives its start, and .starts, the
// count of those that got nowhere, so that a job which requeues itself comes to an end. For rank 0.
#pragma once

#include <string>

#include "base/errors.h"

namespace sft {

// Removes the exit_status of the start before, as an end by SIGKILL must not leave an older one's, and counts this one.
// Error with ExitCode::crash_loop where kMostStarts before it were ended and have left no newer checkpoint.
void begin_start(const std::string& run_directory);

// Writes exit_status, the number alone: mpirun may change a rank's code. A failure is told. After an end that no batch
// script requeues the count is gone: the next start is a person's.
void end_start(const std::string& run_directory, ExitCode code);

inline constexpr int kMostStarts = 3;

}  // namespace sft
