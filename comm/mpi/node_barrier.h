// A barrier of processes over shared memory: each rank counts its arrivals in a cache line of its own and waits until
// the others' counts have come as far. A waiting rank spins for as long as a hand-over of its core would take, offers
// the core to others for a while, and then sleeps until the late rank wakes it: where ranks do not have their cores
// to themselves, whoever is late gets the cores of those who wait.
#pragma once

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>

namespace sft::mpi {

struct alignas(64) Arrivals {
  std::atomic<uint32_t> count;  // wraps; rounds are compared by their difference
  std::atomic<uint32_t> sleepers;
};
static_assert(std::atomic<uint32_t>::is_always_lock_free, "shared between processes");

class NodeBarrier {
 public:
  // `arrivals` lies in shared memory and starts as zeros.
  NodeBarrier(Arrivals* arrivals, int rank, int size) : arrivals_(arrivals), rank_(rank), size_(size) {}

  // What a rank wrote before is seen by all after.
  void arrive_and_wait() {
    const uint32_t round = ++round_;
    Arrivals& mine = arrivals_[rank_];
    // In one order with a sleeper's own two accesses: it sees the count, or is seen here.
    mine.count.store(round, std::memory_order_seq_cst);
    if (mine.sleepers.load(std::memory_order_seq_cst) > 0) futex(mine.count, FUTEX_WAKE, INT_MAX, nullptr);
    for (int peer = 0; peer < size_; ++peer) wait_for(arrivals_[peer], round);
  }

 private:
  static constexpr int kSpins = 1000;                      // about a microsecond
  static constexpr std::chrono::microseconds kAwake{100};  // twice what being woken costs

  static bool has_come(const Arrivals& peer, uint32_t round) {
    return static_cast<int32_t>(peer.count.load(std::memory_order_seq_cst) - round) >= 0;
  }

  static void wait_for(Arrivals& peer, uint32_t round) {
    for (int spins = 0; spins < kSpins; ++spins)
      if (has_come(peer, round)) return;
    const auto until = std::chrono::steady_clock::now() + kAwake;
    while (std::chrono::steady_clock::now() < until) {
      if (has_come(peer, round)) return;
      sched_yield();
    }
    peer.sleepers.fetch_add(1, std::memory_order_seq_cst);
    while (!has_come(peer, round)) {
      constexpr timespec kLook{0, 100'000'000};  // a peer that died wakes nobody
      const uint32_t before = peer.count.load(std::memory_order_seq_cst);
      if (static_cast<int32_t>(before - round) < 0) futex(peer.count, FUTEX_WAIT, static_cast<int>(before), &kLook);
    }
    peer.sleepers.fetch_sub(1, std::memory_order_seq_cst);
  }

  static void futex(std::atomic<uint32_t>& word, int operation, int value, const timespec* timeout) {
    ::syscall(SYS_futex, &word, operation, value, timeout, nullptr, 0);
  }

  Arrivals* arrivals_;
  int rank_;
  int size_;
  uint32_t round_ = 0;
};

}  // namespace sft::mpi
