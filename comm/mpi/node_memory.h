// Memory that the ranks of one node share, by MPI_Win_allocate_shared: a slot a rank, slots for
// results, small slots in two generations, and a barrier. A node of one rank has private memory and
// nobody to wait for.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "comm/mpi/library/sft_mpi.h"
#include "comm/mpi/node_barrier.h"

namespace sft::mpi {

class NodeMemory {
 public:
  static constexpr size_t kPage = 4096;
  static constexpr size_t kSmallBytes = kPage;
  static size_t total_bytes(int ranks, size_t slot_bytes, int result_slots);

  // Collective over `node`, whose ownership passes here. All its ranks give the same numbers.
  NodeMemory(SftComm node, size_t slot_bytes, int result_slots);
  NodeMemory(const NodeMemory&) = delete;
  NodeMemory& operator=(const NodeMemory&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  size_t slot_bytes() const { return slot_bytes_; }

  std::byte* slot(int rank) const { return slots_ + slot_bytes_ * static_cast<size_t>(rank); }
  std::byte* results() const { return slot(size_); }  // result_slots of them, side by side

  // Rank's small slot of this generation. Two generations suffice for one barrier a use: who writes
  // the first again has passed the barrier of the second, so all have read the first.
  std::byte* small(int rank, int generation) const {
    return small_ + kSmallBytes * static_cast<size_t>(2 * rank + generation);
  }

  void barrier() {
    if (barrier_) barrier_->arrive_and_wait();
  }

  // Collective. Not in the destructor, which must not wait for peers after an error.
  void release() noexcept;

 private:
  void share(size_t total);

  SftComm node_;
  SftWindow window_ = 0;
  int rank_ = 0;
  int size_ = 1;
  size_t slot_bytes_;
  int result_slots_;
  std::vector<std::byte> own_;
  std::byte* small_ = nullptr;
  std::byte* slots_ = nullptr;
  std::optional<NodeBarrier> barrier_;
};

}  // namespace sft::mpi
