#include "comm/mpi/node_memory.h"

#include <cstdint>
#include <cstring>

#include "comm/mpi/library/library.h"
#include "comm/mpi/node.h"
#include "comm/mpi/session.h"

namespace sft::mpi {
namespace {

size_t small_total(int ranks) { return 2 * NodeMemory::kSmallBytes * static_cast<size_t>(ranks); }

size_t arrivals_bytes(int ranks) {
  return (sizeof(Arrivals) * static_cast<size_t>(ranks) + NodeMemory::kPage - 1) / NodeMemory::kPage *
         NodeMemory::kPage;
}

// Open MPI begins a window behind a header of its own. The mapping begins at a page in each process, so all skip the
// same.
std::byte* at_page(void* base) {
  const auto address = reinterpret_cast<uintptr_t>(base);
  const auto rounded = (address + NodeMemory::kPage - 1) / NodeMemory::kPage * NodeMemory::kPage;
  return static_cast<std::byte*>(base) + (rounded - address);
}

}  // namespace

size_t NodeMemory::total_bytes(int ranks, size_t slot_bytes, int result_slots) {
  return kPage + arrivals_bytes(ranks) + small_total(ranks) + slot_bytes * static_cast<size_t>(ranks + result_slots);
}

NodeMemory::NodeMemory(SftComm node, size_t slot_bytes, int result_slots)
    : node_(node), slot_bytes_(slot_bytes), result_slots_(result_slots) {
  rank_ = rank_in(node_);
  size_ = size_of(node_);
  const size_t total = total_bytes(size_, slot_bytes_, result_slots_);
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
  check(library().share(node_, total, &base, &window_), "MPI_Win_allocate_shared");
  std::byte* const first = at_page(base);
  small_ = first + arrivals_bytes(size_);
  slots_ = small_ + small_total(size_);

  if (rank_ == 0) {
    std::memset(first, 0, arrivals_bytes(size_));
    std::memset(results(), 0, slot_bytes_ * static_cast<size_t>(result_slots_));
  }
  std::memset(small(rank_, 0), 0, 2 * kSmallBytes);
  std::memset(slot(rank_), 0, slot_bytes_);
  check(library().sync(window_), "MPI_Win_sync");
  check(library().barrier(node_), "MPI_Barrier");
  check(library().sync(window_), "MPI_Win_sync");
  barrier_.emplace(reinterpret_cast<Arrivals*>(first), rank_, size_);
}

void NodeMemory::release() noexcept {
  if (window_ != 0) library().free_window(&window_);
  leave(node_);
}

}  // namespace sft::mpi
