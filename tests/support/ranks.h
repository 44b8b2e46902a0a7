// Ranks that are threads, for what knows other ranks as Peers.
#pragma once

#include <barrier>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "data/samples/peers.h"

namespace sft {

// Runs `body` on `count` ranks that are threads; rethrows the lowest rank's error.
inline void on_ranks(int count, const std::function<void(const Peers&)>& body) {
  const auto ranks = static_cast<size_t>(count);
  std::barrier meet(count);
  std::vector<std::string> bytes(ranks);
  std::vector<std::exception_ptr> failures(ranks), ends(ranks);
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < ranks; ++rank) {
    const auto gather = [&, rank](const std::string& mine) {
      bytes[rank] = mine;
      meet.arrive_and_wait();
      auto all = bytes;
      meet.arrive_and_wait();
      return all;
    };
    const auto together = [&, rank](const std::function<void()>& work) {
      failures[rank] = nullptr;
      try {
        work();
      } catch (...) {
        failures[rank] = std::current_exception();
      }
      meet.arrive_and_wait();
      std::exception_ptr first;
      for (const auto& failure : failures) first = first ? first : failure;
      meet.arrive_and_wait();
      if (first) std::rethrow_exception(first);
    };
    const Peers peers{Shard{static_cast<int>(rank), count}, gather, together};
    threads.emplace_back([&, rank, peers] {
      try {
        body(peers);
      } catch (...) {
        ends[rank] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& end : ends) {
    if (end) std::rethrow_exception(end);
  }
}

}  // namespace sft
