// Rounds of work on all ranks at once: pieces in turn, and their results gathered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "data/samples/peers.h"

namespace sft {

// Calls body(i) for each of `count` pieces of work on one of the ranks. They go in rounds, with all ranks meeting in
// between: no rank waits longer than one piece takes, and the failure of the lowest i is the one thrown. A request to
// stop is a failure of its round.
void in_rounds(int64_t count, const Peers& peers, const std::function<void(int64_t)>& body);

// As in_rounds; every rank gets what the body returned, by i.
std::map<int64_t, nlohmann::json> gather_in_rounds(int64_t count, const Peers& peers,
                                                   const std::function<nlohmann::json(int64_t)>& body);

// The result of rank 0, on every rank.
std::string from_root(const Peers& peers, const std::function<std::string()>& body);

}  // namespace sft
