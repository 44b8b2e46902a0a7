#include "trainer/planning/links.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>

namespace sft::planning {
namespace {

using Kind = Operation::Kind;

struct Cost {
  double messages = 0;  // one after the other
  double share = 0;     // of the bytes that each rank sends
};

double steps_of(int ranks) { return std::bit_width(static_cast<unsigned>(ranks) - 1); }  // ⌈log₂⌉

Cost cost_of(Kind kind, int ranks) {
  const double steps = steps_of(ranks), others = (ranks - 1.0) / ranks;
  switch (kind) {
    case Kind::all_reduce:
    case Kind::start_all_reduce:
      return {2 * steps, 2 * others};
    case Kind::reduce_scatter:
    case Kind::start_reduce_scatter:
    case Kind::all_gather:
    case Kind::start_all_gather:
      return {steps, others};
    case Kind::broadcast:
    case Kind::barrier:
      return {steps, ranks > 1 ? 1.0 : 0.0};
    default:
      return {};
  }
}

}  // namespace

double seconds_of(const Fabric& fabric, Kind kind, double bytes) {
  double latency = 0, transfer = 0;
  const auto add = [&](const std::optional<Link>& link, int ranks) {
    if (!link) return;
    const Cost cost = cost_of(kind, ranks);
    latency += cost.messages * link->latency;
    transfer = std::max(transfer, cost.share * bytes / link->bandwidth);
  };
  add(fabric.within, fabric.per_node);
  add(fabric.between, fabric.nodes);
  return latency + transfer;
}

Link fit(std::span<const TimedSum> sums, int ranks) {
  assert(sums.size() >= 2 && ranks >= 2);
  // Of w (a + b x − y)² with w = 1/y², x in bytes, y in seconds.
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0;
  for (const TimedSum& sum : sums) {
    const double x = static_cast<double>(sum.bytes), y = sum.seconds, weight = 1 / (y * y);
    w += weight, wx += weight * x, wy += weight * y, wxx += weight * x * x, wxy += weight * x * y;
  }
  double slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  double start = (wy - slope * wx) / w;
  if (start < 0) start = 0, slope = wxy / wxx;
  if (slope <= 0) slope = 0, start = wy / w;
  const Cost cost = cost_of(Kind::all_reduce, ranks);
  return {start / cost.messages, slope > 0 ? cost.share / slope : std::numeric_limits<double>::infinity()};
}

}  // namespace sft::planning
