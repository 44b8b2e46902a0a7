// Ranks that are processes under mpirun or srun, with buffers in host memory. Within a node they
// reduce in memory that they share; between nodes one leader of each calls MPI.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "comm/communicator.h"
#include "comm/placement.h"

namespace sft::mpi {

struct Options {
  size_t piece_bytes = size_t{1} << 20;  // a rank's slot of the shared memory; longer buffers go in pieces
  bool shared_memory = true;             // false: every rank is a node of its own
};

// Why this backend cannot be used here; empty where it can.
std::string unavailable(const Placement& placement);

// Name and version of the MPI library as it tells them: "Open MPI v4.1.4, …", of some libraries a page. Why there is
// none behind "none: ".
std::string library_version();
// The first of that, and the file: "Open MPI v4.1.4, /usr/lib/x86_64-linux-gnu/libmpi.so.40", "MPICH Version: 4.0.2, …".
std::string library_name();

// The world of this process. Starts MPI on the first call; each call gives a communicator of its
// own. Ranks of one host whose placement names different nodes are kept apart as if on two.
// ConfigError where MPI finds another number of ranks than the placement.
std::unique_ptr<Communicator> connect(const Placement& placement, const Options& options = {});

}  // namespace sft::mpi
