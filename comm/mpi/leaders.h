// The reduction between nodes, which one leader of each calls.
#pragma once

#include <cstddef>

#include "comm/communicator.h"
#include "comm/mpi/library/sft_mpi.h"

namespace sft::mpi {

// Leaves the combination over `leaders` in `values`, by MPI_Allreduce. `element` is one that MPI
// has (neither f16 nor bf16), and the values fit one call's int.
void all_reduce_leaders(SftComm leaders, std::byte* values, int64_t count, Element element, Reduction how);

// An SftCombine, of f32 and f64.
void combine_two(const void* in, void* inout, int count, SftType type, SftOperation operation);

}  // namespace sft::mpi
