// What is known of kinds of GPUs: their memory, and how fast this program was seen to train on them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sft::planning {

// An update that was timed: its operations (Model::flops) and seconds.
struct TimedUpdate {
  double flops = 0, seconds = 0;
};

struct GpuKind {
  std::string_view name;
  int64_t memory_mib = 0;                   // as nvidia-smi tells it
  std::vector<TimedUpdate> float32, bfloat16;  // from benchmarks/gpu.txt, ascending; empty: never measured
};

const std::vector<GpuKind>& gpu_kinds();
std::vector<std::string> names_of_kinds();
const GpuKind* find_kind(std::string_view name);  // null: unknown

// Between two timed updates by a straight line; a smaller one takes as long as the smallest, where the host is the
// bound; a larger one goes at the rate of the largest.
double seconds_of(std::span<const TimedUpdate> timed, double flops);

}  // namespace sft::planning
