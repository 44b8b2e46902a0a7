#include "comm/mpi/node_memory.h"

#include <cstdint>
#include <cstring>

#include "comm/mpi/session.h"

namespace sft::mpi {
namespace {

size_t small_total(int ranks) { return 2 * NodeMemory::kSmallBytes * static_cast<size_t>(ranks); }

size_t arrivals_bytes(int ranks) {
  return (sizeof(Arrivals) * static_cast<size_t>(ranks) + NodeMemory::kPage - 1) / NodeMemory::kPage *
         NodeMemory::kPage;
}

// OpenMPI begins a window behind a header of its own. The mapping begins at a page in each process, so all skip the
// same.
std::byte* at_page(void* base) {
  const auto address = reinterpret_cast<uintptr_t>(base);
  const auto rounded = (address + NodeMemory::kPage - 1) / NodeMemory::kPage * NodeMemory::kPage;
  return static_cast<std::byte*>(base) + (rounded - address);
}

}  // namespace

size_t NodeMemory::total_bytes(int ranks, size_t slot_bytes) {
  return kPage + arrivals_bytes(ranks) + small_total(ranks) + slot_bytes * static_cast<size_t>(ranks + 1);
}

NodeMemory::NodeMemory(MPI_Comm node, size_t slot_bytes) : node_(node), slot_bytes_(slot_bytes) {
  check(MPI_Comm_rank(node_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(node_, &size_), "MPI_Comm_size");
  const size_t total = total_bytes(size_, slot_bytes_);
  if (size_ > 1) {
    share(total);
  } else {
    own_.resize(total);
    small_ = own_.data() + arrivals_bytes(size_);
    slots_ = small_ + small_total(size_);
  }
}

// Every page is touched here, by the rank that will write it: it lies near that rank's core, and
// the next to ask how much shared memory is free is told the truth.
void NodeMemory::share(size_t total) {
  void* base = nullptr;
  check(
      MPI_Win_allocate_shared(static_cast<MPI_Aint>(rank_ == 0 ? total : 0), 1, MPI_INFO_NULL, node_, &base, &window_),
      "MPI_Win_allocate_shared");
  MPI_Aint bytes = 0;
  int unit = 0;
  check(MPI_Win_shared_query(window_, 0, &bytes, &unit, &base), "MPI_Win_shared_query");
  check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");
  std::byte* const first = at_page(base);
  small_ = first + arrivals_bytes(size_);
  slots_ = small_ + small_total(size_);

  if (rank_ == 0) {
    std::memset(first, 0, arrivals_bytes(size_));
    std::memset(result(), 0, slot_bytes_);
  }
  std::memset(small(rank_, 0), 0, 2 * kSmallBytes);
  std::memset(slot(rank_), 0, slot_bytes_);
  check(MPI_Win_sync(window_), "MPI_Win_sync");
  check(MPI_Barrier(node_), "MPI_Barrier");
  check(MPI_Win_sync(window_), "MPI_Win_sync");
  barrier_.emplace(reinterpret_cast<Arrivals*>(first), rank_, size_);
}

void NodeMemory::release() noexcept {
  if (window_ != MPI_WIN_NULL) {
    MPI_Win_unlock_all(window_);
    MPI_Win_free(&window_);
  }
  MPI_Comm_free(&node_);
}

}  // namespace sft::mpi
