// The input cut into pieces, one shard each. The cuts follow from the files' sizes alone, so the
// shards hold the same rows on any number of ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/prepare/prepare.h"
#include "data/readers/reader.h"

namespace sft {

// Bytes of one file, from where a reader can begin.
struct InputSlice {
  size_t file = 0;
  Place begin;
  int64_t end = 0;
};

using Piece = std::vector<InputSlice>;  // small files share one

// Every rank calls this and gets the same. The ranks survey the files' parts together.
std::vector<Piece> cut_into_pieces(const std::vector<std::string>& files, const Peers& peers);

// Calls body(i) for each of `count` pieces of work on one of the ranks. They go in rounds, with all ranks meeting in
// between: no rank waits longer than one piece takes, and the failure of the lowest i is the one thrown.
void deal(int64_t count, const Peers& peers, const std::function<void(int64_t)>& body);

}  // namespace sft
