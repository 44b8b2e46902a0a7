// The reduction between nodes, which one leader of each calls.
#pragma once

#include <mpi.h>

#include <cstddef>

#include "comm/communicator.h"

namespace sft::mpi {

// Leaves the combination over `leaders` in `values`, by MPI_Allreduce. `element` is one that MPI
// has (neither f16 nor bf16), and the values fit one call's int.
void all_reduce_leaders(MPI_Comm leaders, std::byte* values, int64_t count, Element element, Reduction how);

}  // namespace sft::mpi
