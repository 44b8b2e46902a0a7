// Starts of a run that get nowhere, counted in output_dir/.starts, so that a job which requeues itself comes to an end.
// For rank 0.
#pragma once

#include <string>

namespace sft {

// Counts this start. Error with ExitCode::crash_loop where kMostStarts before it have left no newer checkpoint.
void count_start(const std::string& run_directory);

// After an end that no batch script requeues: the next start is a person's.
void forget_starts(const std::string& run_directory);

inline constexpr int kMostStarts = 3;

}  // namespace sft
