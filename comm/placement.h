// Where this process stands in the job; filled once, in launch/discover.
#pragma once

#include <string>

namespace sft {

struct Placement {
  int rank = 0;
  int world = 1;
  int local_rank = 0;  // among the ranks of this node
  int local_world = 1;
  int node = 0;
  int device = 0;  // this rank's GPU, among those that it sees
  std::string host;
};

}  // namespace sft
