#include "trainer/planning/memory.h"

#include <algorithm>
#include <cassert>

#include "base/text.h"

namespace sft::planning {
namespace {

constexpr int64_t kNormRow = 1024;  // elements: trainer/parallel/gradient_norm.h
constexpr int64_t kBucketsInFlight = 3;

int64_t largest_share(const Weighed& run, int ranks) {
  const int64_t unit = kNormRow * ranks * run.element;
  const int64_t rest = run.trained % unit;
  return (run.trained - rest) / ranks + rest;
}

int64_t without_activations(const Memory& memory) { return memory.peak() - memory.activations; }

}  // namespace

Memory plan_memory(const Weighed& run, std::string_view strategy, int ranks) {
  assert(std::ranges::find(kStrategies, strategy) != kStrategies.end() && ranks >= 1);
  const bool spreads = strategy != "replicated" && ranks > 1;
  const bool shares_weights = strategy == "zero3";
  const bool shares_gradients = strategy == "zero2" || shares_weights;
  const int64_t share = spreads ? largest_share(run, ranks) : run.trained;
  const int64_t gathered = std::min(run.trained, (run.overlaps ? 2 : 1) * run.largest_stage);
  Memory memory{.weights = (shares_weights ? share + gathered : run.trained) + run.others,
                .copies = run.copies,
                .gradients = shares_gradients ? share : run.trained,
                .moments = static_cast<int64_t>(run.moments * static_cast<double>(share)),
                .activations = run.activations,
                .program = run.program,
                .kept = run.kept};
  if (shares_gradients && (run.overlaps || shares_weights))
    memory.buckets = std::min(run.trained, kBucketsInFlight * run.bucket + run.largest_trained +
                                               (shares_weights ? run.largest_stage : 0));
  if (shares_gradients && !run.overlaps && !shares_weights)
    memory.buckets = std::max<int64_t>(0, run.trained - run.activations);
  if (shares_weights)
    memory.whole = share + run.trained + run.others + run.copies + memory.gradients + memory.moments + run.program;
  memory.start = 3 * run.trained + run.others + run.program;
  if (run.on_device) memory.host_copies = run.trained + run.others + memory.moments;
  return memory;
}

int64_t kept_of(const Weighed& run, std::string_view strategy, int ranks, int64_t resident) {
  return std::max<int64_t>(0, resident - (plan_memory(run, strategy, ranks).peak() - run.kept));
}

std::vector<std::string> ways_to_fit(const Weighed& run, const Room& room) {
  const Memory now = plan_memory(run, room.strategy, room.ranks);
  if (room.bytes <= 0 || now.peak() <= room.bytes) return {};
  std::vector<std::string> ways;
  const int64_t left = room.bytes - without_activations(now);
  if (left > 0 && run.activations > 0) {
    const int64_t tokens = run.tokens * left / run.activations;
    if (tokens > 0) ways.push_back(concat("train.max_tokens_per_micro_batch = ", tokens, " or less"));
    if (!room.recomputes) ways.emplace_back("train.gradient_checkpointing = true");
  }
  const std::string_view most_spread = room.may_spread_weights ? "zero3" : "zero2";
  for (const std::string_view strategy : kStrategies)
    if (strategy != room.strategy && (strategy != "zero3" || room.may_spread_weights) &&
        plan_memory(run, strategy, room.ranks).peak() <= room.bytes)
      ways.push_back(concat("parallel.strategy = \"", strategy, "\""));
  if (ways.empty()) {
    constexpr int kMostRanks = 1 << 16;
    int ranks = room.ranks;
    while (ranks < kMostRanks && plan_memory(run, most_spread, ranks).peak() > room.bytes) ranks *= 2;
    if (ranks < kMostRanks) ways.push_back(concat("parallel.strategy = \"", most_spread, "\" on ", ranks, " ranks"));
  }
  if (ways.empty() && !room.is_frozen) ways.emplace_back("[lora] or freeze.all_but_last: fewer weights that train");
  if (ways.empty()) ways.emplace_back("a smaller model: what every rank holds of this one is more than a rank may have");
  return ways;
}

}  // namespace sft::planning
