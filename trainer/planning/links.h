// What a collective takes, from two constants of the links: the latency of a message and the bandwidth.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "comm/observed.h"

namespace sft::planning {

struct Link {
  double latency = 0;    // seconds of a message without content
  double bandwidth = 1;  // bytes a second, in one direction
};

// `nodes` nodes of `per_node` ranks.
struct Fabric {
  int nodes = 1, per_node = 1;
  std::optional<Link> within, between;  // the ranks of a node; nodes. None: that part of a collective takes no time

  int ranks() const { return nodes * per_node; }
};

// Seconds of a call whose longest buffer has so many bytes P. Over k ranks, as rings and trees have it (Thakur,
// Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH", 2005):
//   all_reduce                  2⌈log₂k⌉ · latency + 2(k−1)/k · P / bandwidth
//   reduce_scatter, all_gather   ⌈log₂k⌉ · latency +  (k−1)/k · P / bandwidth
//   broadcast, barrier           ⌈log₂k⌉ · latency + P / bandwidth
// Of several nodes latencies add up, and the slower of the two transfers counts, because pieces of one pass through the
// node while others pass between nodes.
double seconds_of(const Fabric& fabric, Operation::Kind kind, double bytes);

// An all_reduce that was timed.
struct TimedSum {
  int64_t bytes = 0;
  double seconds = 0;
};

// The link that explains sums over `ranks` ranks best, each by its relative error: least squares of t = a + b·bytes with
// weights 1/t². `sums` are of two sizes at least. A constant that would be below zero is zero, or no bound.
Link fit(std::span<const TimedSum> sums, int ranks);

}  // namespace sft::planning
