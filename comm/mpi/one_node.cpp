#include "comm/mpi/one_node.h"

#include <cstdlib>
#include <string_view>

namespace sft::mpi {

void look_for_no_network_on_one_node() {
  const char *all = std::getenv("OMPI_COMM_WORLD_SIZE"), *here = std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
  if (all == nullptr || here == nullptr || std::string_view(all) != here) return;
  ::setenv("OMPI_MCA_pml", "ob1", 0);
}

void look_for_windows_of_shared_memory_alone() { ::setenv("OMPI_MCA_osc", "sm", 0); }

}  // namespace sft::mpi
