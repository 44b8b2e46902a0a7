// A command of the user's as a log target.
#pragma once

#include <string>
#include <vector>

#include "trainer/telemetry/event.h"

namespace sft {

// Runs `command`, a program and its arguments, with `input` on standard input; what it writes goes to standard error.
// "" where it ends with 0, else why not: "ended with 3", "took longer than 30.0s and was killed". A stop that is
// requested meanwhile kills it too. Gives signs of life (base/progress.h) while it waits.
std::string run_command(const std::vector<std::string>& command, const std::string& input, double timeout_seconds);

// Each evaluation of the run in output_dir goes to the command as one line of JSON: {"output_dir", "step",
// "total_steps", "metrics": as in metrics.jsonl}. Failures are told as warnings.
Sink make_evaluation_hook(const std::vector<std::string>& command, double timeout_seconds,
                          const std::string& output_dir);

}  // namespace sft
