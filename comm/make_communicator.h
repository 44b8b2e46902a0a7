// The backends, by name. `comm.backend = "auto"` is nccl where each local rank has a device of its own,
// mpi under mpirun or srun, solo otherwise.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft {

// The world of this process by `backend` (solo | mpi | nccl). CommError where it is not available,
// saying what would bring it.
std::unique_ptr<Communicator> make_communicator(const std::string& backend, const Placement& placement);

// Runs `body` on `size` ranks that are threads of this process, and rethrows the first failure.
// For tests and for the threads backend.
void spawn_ranks(int size, const std::function<void(Communicator&)>& body);

}  // namespace sft
