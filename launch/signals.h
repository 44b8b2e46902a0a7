// Signals as requests: the first USR1, USR2, TERM or INT asks the run to stop at the next step, with
// a checkpoint; a TERM or INT after any of them ends the process at once.
#pragma once

#include <string>

namespace sft::signals {

void install();

// From now on a write to a pipe that nobody reads any more fails, instead of ending the process.
void outlive_readers();

// The first signal that came, 0 where none has. Ranks hear of it at different steps: only what they
// agree on may decide.
int requested();

// The same, and the next signal is a first one again: of commands in which a signal ends a part alone.
int take_requested();

// Reads and writes that wait return when a signal comes, where they would otherwise go on.
void wake_readers();

// "SIGUSR2".
std::string name_of(int signal);

}  // namespace sft::signals
