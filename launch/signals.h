// Signals as requests (base/stop_request.h): the first USR1, USR2, TERM or INT asks a run to stop at the next step,
// with a checkpoint, and prepare, predict and evaluate to leave; a TERM or INT after any of them ends the process at
// once.
#pragma once

#include <string>

namespace sft::signals {

void install();

// "SIGUSR2".
std::string name_of(int signal);

}  // namespace sft::signals
