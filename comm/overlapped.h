// A communicator that works on a thread of its own, for ranks that have a core left beside those that compute: what
// start_all_reduce and its like were given is done while their caller goes on.
#pragma once

#include <memory>

#include "comm/communicator.h"

namespace sft {

// Every call takes its turn behind those before it, so that the inner communicator is only ever used by that thread; an
// error reaches the caller of the call, or of wait(). MPI allows one thread at a time (MPI_THREAD_SERIALIZED): between
// a start and its wait() the caller uses no other communicator that reaches another node.
std::unique_ptr<Communicator> overlapped(std::unique_ptr<Communicator> inner);

}  // namespace sft
