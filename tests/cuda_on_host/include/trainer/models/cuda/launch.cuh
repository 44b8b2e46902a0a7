// In the place of the header of this name: kernels are queued on simulated devices and run by fibers of a host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "tests/cuda_on_host/block.h"
#include "tests/cuda_on_host/queue.h"

using dim3 = sft::test::on_host::Extents;

namespace sft::cuda {

using test::on_host::shared_of_launch;

class Launch {
 public:
  explicit Launch(int device) : device_(device) {}
  void check(const char* kernel) const { test::on_host::refuse_launch(kernel, refusal_); }

  int device() const { return device_; }
  void refuse(const char* why) const { refusal_ = refusal_ ? refusal_ : why; }

 private:
  int device_;
  mutable const char* refusal_ = nullptr;
};

struct Blocks {
  dim3 grid, threads;
  size_t shared_bytes = 0;
};

template <class... Parameters, class... Arguments>
void run(const Launch& launch, void (*kernel)(Parameters...), const Blocks& blocks, const Arguments&... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...));
  const test::on_host::Grid grid{blocks.grid, blocks.threads, blocks.shared_bytes};
  if (const char* const refusal = grid.refusal()) return launch.refuse(refusal);
  test::on_host::queue(launch.device(), [kernel, grid, parameters = std::tuple<Parameters...>(arguments...)]() mutable {
    std::apply([&](auto&... each) { (test::on_host::to_bytes(&each, sizeof each), ...); }, parameters);
    test::on_host::run_grid(grid, [&] { std::apply(kernel, parameters); });
  });
}

}  // namespace sft::cuda
