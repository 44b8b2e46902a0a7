#include "trainer/preflight/time_sums.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "comm/agree.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

double best_seconds(const World& world, const at::Tensor& values) {
  int64_t best = INT64_MAX;
  for (int i = 0; i < 5; ++i) {
    world.gradients.barrier();
    const Stopwatch watch;
    world.gradients.all_reduce(buffer_of(values));
    values[0].item();  // which waits for the device
    best = std::min(best, max(world.control, static_cast<int64_t>(watch.seconds() * 1e9)));
  }
  return static_cast<double>(best) * 1e-9;
}

}  // namespace

std::vector<planning::TimedSum> time_sums(const World& world) {
  constexpr int64_t kSmallest = 4 << 10, kEnough = 4 << 20;
  constexpr double kSlow = 0.02;
  const int64_t largest = world.device.is_cpu() ? 64 << 20 : 256 << 20;
  std::vector<planning::TimedSum> sums;
  for (int64_t bytes = kSmallest; bytes <= largest; bytes *= 4) {
    const auto count = bytes / static_cast<int64_t>(sizeof(float));
    sums.push_back({bytes, best_seconds(world, at::zeros({count}, at::TensorOptions(world.device)))});
    if (!world.device.is_cpu() && bytes >= kEnough && sums.back().seconds > kSlow) break;
  }
  return sums;
}

}  // namespace sft
