#include "trainer/assembly/gemm_peak.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linspace.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "trainer/models/blocks/matrix_product.h"

namespace sft {

double measured_gemm_flops(const c10::Device& device, c10::ScalarType type) {
  const int64_t size = device.is_cpu() ? 768 : 8192;
  const at::NoGradGuard no_graph;
  const at::TensorOptions options = at::TensorOptions().device(device).dtype(type);
  // Values that are no zeros or ones: a device draws less power for those, and is faster.
  const at::Tensor a = at::linspace(-1, 1, size * size, options).view({size, size}), b = a.t();
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    const Stopwatch watch;
    product(a, b)[0][0].item();  // which waits for the device
    best = std::min(best, watch.seconds());
  }
  return 2.0 * static_cast<double>(size * size * size) / best;
}

}  // namespace sft
