// Which ranks share this one's node, and how much memory each may have of it.
#pragma once

#include <cstddef>
#include <vector>

#include "comm/mpi/library/sft_mpi.h"
#include "comm/mpi/mpi.h"

namespace sft::mpi {

int size_of(SftComm comm);
int rank_in(SftComm comm);
SftComm split_by(SftComm comm, int color, int key);  // SFT_NOWHERE as a color: 0
void leave(SftComm& comm) noexcept;                  // frees it, where it is one

struct Node {
  SftComm ranks;               // the caller's to free
  size_t slot_bytes;           // the same on all nodes, which go piece by piece together
  int result_slots;            // for NodeMemory
  std::vector<int> leader_of;  // of each rank of `world` the rank that leads its node
};

// Collective over `world`. Ranks of one host and one `node` come together, unless they may not or
// cannot share memory: then each is a node of its own, and the reason is told.
Node find_node(SftComm world, int node, const Options& options);

// The bytes of a slot that fit, at most `wanted`, into `free_bytes` of shared memory for the slots of `ranks`
// ranks and of results; 0 where even the smallest useful slot does not.
size_t slot_bytes_that_fit(size_t wanted, int ranks, int result_slots, size_t free_bytes);

}  // namespace sft::mpi
