// What is installed beside the program.
#pragma once

#include <string>

namespace sft {

// Of a checkout's file, as "slurm/sweep.sbatch", the installed one: share/sft-dist/… beside the program's bin. Where
// there is none the name as it is.
std::string installed(const std::string& name);

}  // namespace sft
