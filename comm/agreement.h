// Facts that all ranks must have alike before they do anything together.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "comm/communicator.h"

namespace sft {

// Name → value, both as a person reads them.
using Facts = std::map<std::string, std::string>;

// Returns where facts() is the same on every rank: a digest travels, the facts themselves only where they differ. Then
// it is an error of code 78 that all ranks have: a table of the facts that differ, with the ranks and hosts of each
// value. Collective. In a world of one nobody can disagree, and facts() is not called. What facts() throws is on every
// rank too.
void require_agreement(Communicator& world, const std::function<Facts()>& facts);

// The table's rows, of the facts of each rank: "\n  seed: 7 on ranks 0-2 (host a); 9 on rank 3 (host b)". A fact that a
// rank has not is "none".
std::string disagreements(const std::vector<Facts>& of_ranks, const std::vector<std::string>& hosts);

}  // namespace sft
