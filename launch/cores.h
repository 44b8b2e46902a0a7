// How many threads a rank may run: the cores of its affinity mask, shared with the ranks of the
// host that may run on the same ones.
#pragma once

#include <string>

#include "comm/communicator.h"

namespace sft {

struct CoreShare {
  int threads = 1;
  std::string note;  // for the user, where cores of this host stay unused; else empty
};

// Collective over `control`; ranks of another host share nothing with this one.
CoreShare share_cores(Communicator& control, const std::string& host);

}  // namespace sft
