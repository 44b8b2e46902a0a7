// Work and waits.
#include "tests/comm/loopback/streams.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <c10/util/Exception.h>

#include <algorithm>

#include "base/text.h"
#include "tests/comm/loopback/memory.h"
#include "tests/simulated_gpu/simulated_gpu.h"

namespace sft::test::simulated {

void refuse_after_a_fault() {
  const std::string fault = loopback::first_fault();
  TORCH_CHECK(fault.empty(), "CUDA error: ", fault);
}

at::Tensor bytes_of(const at::Tensor& tensor) {
  const at::AutoDispatchBelowADInplaceOrView no_graph;
  void* const begin = tensor.numel() == 0 ? nullptr : loopback::bytes_at(tensor.mutable_data_ptr());
  return at::from_blob(begin, tensor.sizes(), tensor.strides(), at::TensorOptions().dtype(tensor.dtype()));
}

Extent extent_of(const at::Tensor& tensor) {
  if (tensor.numel() == 0) return {nullptr, 0};
  int64_t last = 0;
  for (int64_t d = 0; d < tensor.dim(); ++d) last += (tensor.size(d) - 1) * tensor.stride(d);
  return {tensor.const_data_ptr(), static_cast<size_t>(last + 1) * tensor.itemsize()};
}

void with_host_operators(const std::function<void()>& body) {
  thread_local const bool is_alone = (at::set_num_threads(1), true);
  static_cast<void>(is_alone);
  const at::NoGradGuard no_gradients;
  const at::AutoDispatchBelowADInplaceOrView no_graph;
  body();
}

void queue(int device, const std::string& name, std::vector<Extent> touched, std::function<void()> work) {
  refuse_after_a_fault();
  loopback::touch(device);
  loopback::default_stream(device).push([device, name, touched = std::move(touched), work = std::move(work)] {
    const auto is_usable = [&](const Extent& extent) {
      return loopback::is_of_device(extent.begin, extent.bytes, device);
    };
    if (!std::ranges::all_of(touched, is_usable)) return;
    try {
      with_host_operators(work);
    } catch (const std::exception& error) {
      loopback::set_fault(concat(name, ": ", error.what()));
    }
  });
}

void wait(int device, const std::string& why) {
  loopback::default_stream(device).wait_until_done(why);
  refuse_after_a_fault();
}

}  // namespace sft::test::simulated
