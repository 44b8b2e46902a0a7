#include "trainer/planning/kinds.h"

#include <algorithm>
#include <cassert>

namespace sft::planning {
namespace {

// benchmarks/gpu.txt times BERT-base on rows of 81 tokens on average: 39 GFLOP a row, forward and backward, by the
// program's own count. Rows an update, and rows a second: the lowest that were seen with flash attention.
constexpr double kFlopsOfRow = 39e9;

TimedUpdate timed(double rows, double rows_per_second) { return {rows * kFlopsOfRow, rows / rows_per_second}; }

}  // namespace

const std::vector<GpuKind>& gpu_kinds() {
  static const std::vector<GpuKind> kinds{
      {"a100-40gb", 40960, {}, {}},
      {"a100", 81920, {}, {}},
      {"h100", 81559, {timed(32, 812), timed(128, 1015)}, {timed(32, 1410), timed(128, 4571)}},
      {"h200", 143771, {}, {}},
      {"l40s", 46068, {}, {}},
      {"rtx4090", 24564, {}, {}},
  };
  return kinds;
}

std::vector<std::string> names_of_kinds() {
  std::vector<std::string> names;
  for (const GpuKind& kind : gpu_kinds()) names.emplace_back(kind.name);
  return names;
}

const GpuKind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(gpu_kinds(), name, &GpuKind::name);
  return found == gpu_kinds().end() ? nullptr : &*found;
}

double seconds_of(std::span<const TimedUpdate> timed, double flops) {
  assert(!timed.empty());
  if (flops <= timed.front().flops) return timed.front().seconds;
  for (size_t i = 1; i < timed.size(); ++i) {
    const TimedUpdate &low = timed[i - 1], &high = timed[i];
    if (flops <= high.flops)
      return low.seconds + (high.seconds - low.seconds) * (flops - low.flops) / (high.flops - low.flops);
  }
  return timed.back().seconds * flops / timed.back().flops;
}

}  // namespace sft::planning
