// The ranks of this host that a launcher started beside this one, as the system shows them: for the time before ranks
// can talk to each other.
#pragma once

#include <vector>

namespace sft {

struct Sibling {
  int rank = 0;
  bool is_stopped = false;  // by a signal or a debugger
};

// By rank, this one among them; empty where the parent process is no launcher.
std::vector<Sibling> siblings();

}  // namespace sft
