// A communicator that adds in the order of a balanced binary tree over the ranks: ((0+1)+(2+3))+((4+5)+(6+7)). Ranks
// that bring the sums of equal runs of one list of terms, each run added as such a tree itself, get the same bits
// on 1, 2, 4, 8 … of them, because the whole tree is the same whoever holds its lower branches.
#pragma once

#include <memory>

#include "comm/communicator.h"

namespace sft {

// The number of ranks is a power of two. A sum is log2(ranks) reductions among two ranks, each of all the values: for
// runs that want their bits, not for speed. f16 and bf16 are rounded at each of them. Every rank calls.
std::unique_ptr<Communicator> tree_ordered(std::unique_ptr<Communicator> inner);

}  // namespace sft
