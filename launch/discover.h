// Where this process stands in its job, read once from what mpirun, mpiexec or srun left in
// the environment. SFT_SIMULATED_NODES=2 deals the ranks of one host out to nodes, for tests.
#pragma once

#include <functional>
#include <string>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft {

// The value of an environment variable, null where it is not set.
using Environment = std::function<const char*(const char* name)>;
Environment process_environment();

// An error of code 78, which every rank has, where a launcher started several ranks in a way that MPI would
// not find out about: each would take itself for rank 0 of 1, and all would write one output directory.
Placement discover(const Environment& environment = process_environment());

// Whether this is the first of the processes that were started together, even if MPI does not know of the others.
bool is_launchers_first(const Environment& environment = process_environment());

// Numbers the nodes by their hosts, in the order of ranks; collective over `control`. Launchers
// other than SLURM do not tell.
void number_nodes(Placement& placement, Communicator& control);

}  // namespace sft
