#include "trainer/assembly/gemm_peak.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linspace.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "trainer/models/blocks/matrix_product.h"

namespace sft {
namespace {

constexpr int64_t kSizeOnHost = 768, kLeastOnDevice = 1024, kMostOnDevice = 8192;
constexpr double kLong = 0.02;  // seconds, in which a device shows all it can

// Seconds of the fastest of four products of two square matrices.
double seconds_of_product(int64_t size, const at::TensorOptions& options) {
  // Values that are no zeros or ones: a device draws less power for those, and is faster.
  const at::Tensor a = at::linspace(-1, 1, size * size, options).view({size, size}), b = a.t();
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    const Stopwatch watch;
    product(a, b)[0][0].item();  // which waits for the device
    best = std::min(best, watch.seconds());
  }
  return best;
}

}  // namespace

// A fast device needs large matrices to be full. One that multiplies float64 at a 64th of its speed would take half a
// minute for them, and is full with small ones.
double measured_gemm_flops(const c10::Device& device, c10::ScalarType type) {
  const at::NoGradGuard no_graph;
  const at::TensorOptions options = at::TensorOptions().device(device).dtype(type);
  int64_t size = device.is_cpu() ? kSizeOnHost : kLeastOnDevice;
  double seconds = seconds_of_product(size, options);
  while (!device.is_cpu() && size < kMostOnDevice && seconds < kLong) seconds = seconds_of_product(size *= 2, options);
  return 2.0 * static_cast<double>(size * size * size) / seconds;
}

}  // namespace sft
