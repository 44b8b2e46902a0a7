// What Open MPI need not look for.
#pragma once

namespace sft::mpi {

// For the time before MPI_Init, which asks every network of the machine whether it is there: where mpirun says that all
// ranks are on one node, and the environment names no `pml` (which is what `--mca pml` sets), "ob1" is chosen, which
// goes through shared memory there. A `pml` that stands in a file of Open MPI's parameters yields to it on one node.
void look_for_no_network_on_one_node();

}  // namespace sft::mpi
