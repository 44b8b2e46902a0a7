// The MPI library of this process, found when the program runs. Open MPI 4 and 5 share one binary interface, MPICH and
// its kin (Intel MPI, MVAPICH, Cray) another; a library of ours that fits each stands beside the program (sft_mpi.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/mpi/library/sft_mpi.h"

namespace sft::mpi {

// The table of the MPI that the launcher belongs to, where none has started this process of the first that is there, or
// of the file that SFT_MPI names. Opened on the first call and never closed. CommError where there is none, with what
// was looked for.
const SftMpi& library();

// Why there is none; "" where there is one.
std::string why_no_library();

// The file of that MPI, or what SFT_MPI names; "" where there is none.
std::string library_file();

struct LibraryKind {
  const char* name;                    // "Open MPI"
  const char* table;                   // "libsft_mpi_openmpi.so"
  std::vector<const char*> libraries;  // of MPI itself: the first that is found is opened
};

// In the order in which they are tried. `environment` is as std::getenv.
std::vector<LibraryKind> kinds_to_try(const std::function<const char*(const char*)>& environment);

}  // namespace sft::mpi
