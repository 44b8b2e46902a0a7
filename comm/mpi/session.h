// The process's stay in MPI, and the check of every call's result.
#pragma once

#include <source_location>
#include <string_view>

namespace sft::mpi {

// MPI_Init_thread on the first call; MPI_Finalize when the process ends, unless it was abandoned.
void ensure_started();

// After an error MPI's collective clean-up must not run: peers that have no error would never join
// it. The process then ends without MPI_Finalize, and mpirun ends the others.
void abandon();

// CommError with rank, operation, MPI's text and the place, where `result` is not MPI_SUCCESS.
void check(int result, std::string_view operation, std::source_location where = std::source_location::current());

}  // namespace sft::mpi
