#include "comm/mpi/node.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "comm/mpi/between_nodes.h"
#include "comm/mpi/library/library.h"
#include "comm/mpi/node_memory.h"
#include "comm/mpi/session.h"

namespace sft::mpi {
namespace {

size_t free_shared_memory() {
  struct statvfs status {};
  if (statvfs("/dev/shm", &status) != 0) return 0;
  return static_cast<size_t>(status.f_bavail) * status.f_frsize;
}

// Over `ranks`, one view of what is free.
size_t agree_on_slot(SftComm ranks, size_t wanted, int result_slots) {
  const size_t free = free_shared_memory();
  auto fits = static_cast<int64_t>(slot_bytes_that_fit(wanted, size_of(ranks), result_slots, free));
  check(library().broadcast(ranks, &fits, sizeof fits, 0), "MPI_Bcast");
  static bool told = false;  // once, for however many communicators
  if (fits == 0 && rank_in(ranks) == 0 && !std::exchange(told, true))
    log::warn(concat("/dev/shm has ", human_bytes(static_cast<double>(free)), " free, too little for the ",
                     size_of(ranks),
                     " ranks of this node: each talks to the others through MPI, which is several times slower",
                     " (in a container, start it with --shm-size=1g)"));
  return static_cast<size_t>(fits);
}

struct Told {
  int64_t slot_bytes, leader;
};

Node agree(SftComm world, SftComm ranks, size_t slot_bytes) {
  Told mine{static_cast<int64_t>(slot_bytes), rank_in(world)};
  check(library().broadcast(ranks, &mine.leader, sizeof mine.leader, 0), "MPI_Bcast");
  std::vector<Told> told(static_cast<size_t>(size_of(world)));
  check(library().all_gather(world, &mine, sizeof mine, told.data()), "MPI_Allgather");
  Node node{.ranks = ranks, .slot_bytes = slot_bytes, .result_slots = 1, .leader_of = {}};
  for (const Told& each : told) {
    node.slot_bytes = std::min(node.slot_bytes, static_cast<size_t>(each.slot_bytes));
    node.leader_of.push_back(static_cast<int>(each.leader));
    if (each.leader != mine.leader) node.result_slots = BetweenNodes::kSlotsOfResults;
  }
  return node;
}

}  // namespace

int size_of(SftComm comm) {
  int size = 0;
  check(library().size(comm, &size), "MPI_Comm_size");
  return size;
}

int rank_in(SftComm comm) {
  int rank = 0;
  check(library().rank(comm, &rank), "MPI_Comm_rank");
  return rank;
}

SftComm split_by(SftComm comm, int color, int key) {
  SftComm part = 0;
  check(library().split(comm, color, key, &part), "MPI_Comm_split");
  return part;
}

void leave(SftComm& comm) noexcept {
  if (comm != 0) library().free_comm(&comm);
}

size_t slot_bytes_that_fit(size_t wanted, int ranks, int result_slots, size_t free_bytes) {
  constexpr size_t kLeast = 64 << 10;    // below, barriers cost more than MPI's own copies
  const size_t usable = free_bytes / 2;  // MPI's transport and other communicators need theirs
  const size_t fixed = NodeMemory::total_bytes(ranks, 0, result_slots);
  if (usable < fixed) return 0;
  const size_t fits =
      (usable - fixed) / static_cast<size_t>(ranks + result_slots) / NodeMemory::kPage * NodeMemory::kPage;
  return fits < std::min(kLeast, wanted) ? 0 : std::min(wanted, fits);
}

Node find_node(SftComm world, int node, const Options& options) {
  SftComm ranks = 0;
  if (options.shared_memory) {
    SftComm host = 0;
    check(library().split_by_host(world, &host), "MPI_Comm_split_type");
    ranks = split_by(host, node, 0);
    check(library().free_comm(&host), "MPI_Comm_free");
  }
  size_t slot_bytes = options.piece_bytes;
  if (ranks != 0 && size_of(ranks) > 1) {
    const int result_slots = size_of(ranks) == size_of(world) ? 1 : BetweenNodes::kSlotsOfResults;
    if (const size_t fits = agree_on_slot(ranks, options.piece_bytes, result_slots); fits > 0)
      slot_bytes = fits;
    else
      check(library().free_comm(&ranks), "MPI_Comm_free");
  }
  const SftComm alone = split_by(world, ranks == 0 ? rank_in(world) : SFT_NOWHERE, 0);
  return agree(world, ranks == 0 ? alone : ranks, slot_bytes);
}

}  // namespace sft::mpi
