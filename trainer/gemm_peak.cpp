#include "trainer/gemm_peak.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>

#include <algorithm>

#include "base/stopwatch.h"

namespace sft {

double measured_gemm_flops() {
  constexpr int64_t kSize = 768;
  const at::NoGradGuard no_graph;
  const at::Tensor a = at::ones({kSize, kSize}), b = at::ones({kSize, kSize});
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    const Stopwatch watch;
    at::mm(a, b);
    best = std::min(best, watch.seconds());
  }
  return 2.0 * kSize * kSize * kSize / best;
}

}  // namespace sft
