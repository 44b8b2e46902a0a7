// What to type to stop a job with a checkpoint, where its launcher leaves a Ctrl-C too little time for one.
#pragma once

#include <string>

namespace sft {

// `launcher`: the name of this process's parent, `process`: its number. "" where a Ctrl-C leaves the ranks all the time
// that they want (MPICH, Intel MPI, no launcher), or where nothing is known of the launcher.
std::string how_to_stop(const std::string& launcher, int process);

}  // namespace sft
