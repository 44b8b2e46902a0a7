// Ranks that are threads of one process. spawn_ranks in make_communicator.h starts them.
#pragma once

#include <memory>

#include "comm/communicator.h"
#include "comm/threads/meeting.h"

namespace sft::threads {

// The communicator of one member, to be used by its thread alone. Its destruction leaves the meeting.
std::unique_ptr<Communicator> join(std::shared_ptr<Meeting> meeting, int rank);

}  // namespace sft::threads
