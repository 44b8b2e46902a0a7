// What Open MPI need not look for.
#pragma once

namespace sft::mpi {

// For the time before MPI_Init, which asks every network of the machine whether it is there: where mpirun says that all
// ranks are on one node, and the environment names no `pml` (which is what `--mca pml` sets), "ob1" is chosen, which
// goes through shared memory there. A `pml` that stands in a file of Open MPI's parameters yields to it on one node.
void look_for_no_network_on_one_node();

// For the time before MPI_Init too: windows of shared memory are all that the program asks for, so Open MPI's part for
// them, `osc` "sm", is the only one that is asked. The others are slow to answer, and UCX's writes errors on the
// console where there is no device of its kind (https://github.com/open-mpi/ompi/issues/12517). An `osc` that the
// environment names stands.
void look_for_windows_of_shared_memory_alone();

}  // namespace sft::mpi
