// Signals as requests (base/stop_request.h): the first USR1, USR2, TERM or INT asks a run to stop at the next step,
// with a checkpoint, and a command that only reads or prepares to leave; a TERM or INT after any of them ends the
// process at once.
#pragma once

#include <string>

namespace sft::signals {

// Also has a write beyond the limit of a file's size (ulimit -f) fail, instead of ending the process.
void install();

// From now on a write to a pipe that nobody reads any more fails, instead of ending the process.
void outlive_readers();

// Reads and writes that wait return when a signal comes, where they would otherwise go on.
void wake_readers();

// "SIGUSR2".
std::string name_of(int signal);

}  // namespace sft::signals
