// Small agreements between ranks, over the control communicator, made of collectives only. They
// are how an error on one rank ends the job on all of them without a hang.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"

namespace sft {

double sum(Communicator& world, double value);
int64_t sum(Communicator& world, int64_t value);
int64_t max(Communicator& world, int64_t value);
int64_t min(Communicator& world, int64_t value);

// Every rank's bytes, in rank order, on every rank. Lengths may differ.
std::vector<std::string> gather_all(Communicator& world, const std::string& mine);

// The root's bytes on every rank.
std::string broadcast_from(Communicator& world, const std::string& bytes, int root = 0);

// Runs `body` on every rank, then all learn whether any failed: where one did, every rank throws
// the lowest failing rank's error as an Error of the same code and message (prefixed "rank R: "
// where only some failed) whose reach is everywhere. `body` itself may hold no collective that
// another rank's failure would leave waiting.
void together(Communicator& world, const std::function<void()>& body);

}  // namespace sft
