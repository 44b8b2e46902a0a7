// A barrier of processes over shared memory: each rank counts its arrivals in a cache line of its
// own and waits until the others' counts have come as far. On a machine with more ranks than cores
// a waiting rank soon hands its core to one that has work.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

namespace sft::mpi {

struct alignas(64) Arrivals {
  std::atomic<uint64_t> count;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free, "shared between processes");

class SpinBarrier {
 public:
  // `arrivals` lies in shared memory and starts as zeros.
  SpinBarrier(Arrivals* arrivals, int rank, int size) : arrivals_(arrivals), rank_(rank), size_(size) {}

  // What a rank wrote before is seen by all after.
  void arrive_and_wait() {
    const uint64_t round = ++round_;
    arrivals_[rank_].count.store(round, std::memory_order_release);
    for (int peer = 0; peer < size_; ++peer) wait_for(arrivals_[peer].count, round);
  }

 private:
  static void wait_for(const std::atomic<uint64_t>& count, uint64_t round) {
    constexpr int kSpins = 1000;  // about a microsecond, as long as handing the core over takes
    for (int spins = 0; count.load(std::memory_order_acquire) < round; ++spins)
      if (spins >= kSpins) sched_yield();
  }

  Arrivals* arrivals_;
  int rank_;
  int size_;
  uint64_t round_ = 0;
};

}  // namespace sft::mpi
