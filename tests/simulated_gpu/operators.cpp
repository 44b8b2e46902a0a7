// Operators that are no computation: memory, views, copies, and what a host asks a device for.
#include <ATen/EmptyTensor.h>
#include <ATen/ops/_local_scalar_dense.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/DeviceGuard.h>
#include <torch/library.h>

#include "tests/simulated_gpu/simulated_gpu.h"

namespace sft::test::simulated {
namespace {

using at::Tensor;
using c10::Device;
using c10::IntArrayRef;
using c10::MemoryFormat;
using c10::ScalarType;

const c10::DispatchKeySet kKeys{kKey};

Tensor empty(IntArrayRef size, std::optional<ScalarType> type, std::optional<c10::Layout>, std::optional<Device> device,
             std::optional<bool>, std::optional<MemoryFormat> format) {
  const c10::DeviceGuard here(*device);
  return at::detail::empty_generic(size, &device_memory(), kKeys, c10::dtype_or_default(type), format);
}

Tensor empty_strided(IntArrayRef size, IntArrayRef stride, std::optional<ScalarType> type, std::optional<c10::Layout>,
                     std::optional<Device> device, std::optional<bool>) {
  const c10::DeviceGuard here(*device);
  return at::detail::empty_strided_generic(size, stride, &device_memory(), kKeys, c10::dtype_or_default(type));
}

const Tensor& resize(const Tensor& self, IntArrayRef size, std::optional<MemoryFormat> format) {
  TORCH_CHECK(!format, "simulated devices resize to contiguous tensors only");
  const c10::DeviceGuard here(self.device());
  const auto bytes = at::detail::computeStorageNbytesContiguous(size, self.itemsize(),
                                                                static_cast<size_t>(self.storage_offset()));
  auto* const storage = self.storage().unsafeGetStorageImpl();
  if (bytes > storage->nbytes()) {
    storage->set_data_ptr_noswap(device_memory().allocate(bytes));
    storage->set_nbytes(bytes);
  }
  self.unsafeGetTensorImpl()->set_sizes_contiguous(size);
  return self;
}

bool is_on_device(const Tensor& tensor) { return tensor.device().type() == kType; }

// The host's memory is read when the call returns, except where it is pinned: then the device reads it later. CUDA "may
// synchronize with the stream" before it reads other memory (API synchronization behavior), so here it does.
void copy_in(const Tensor& self, const Tensor& source, bool is_asynchronous) {
  const bool is_pinned = source.is_pinned();
  Tensor taken = source;
  if (!is_pinned) with_host_operators([&] { taken = source.clone(); });
  queue(self.get_device(), "copy to the device", {extent_of(self)}, [to = bytes_of(self), taken] { to.copy_(taken); });
  if (!is_asynchronous || !is_pinned) wait(self.get_device(), "copy to the device");
}

void copy_out(const Tensor& self, const Tensor& source, bool is_asynchronous) {
  queue(source.get_device(), "copy from the device", {extent_of(source)},
        [to = self.detach(), from = bytes_of(source)] { to.copy_(from); });
  if (!is_asynchronous || !self.is_pinned()) wait(source.get_device(), "copy from the device");
}

Tensor& copy(Tensor& self, const Tensor& source, bool is_asynchronous) {
  if (self.numel() == 0) return self;
  if (!is_on_device(source)) {
    copy_in(self, source, is_asynchronous);
  } else if (!is_on_device(self)) {
    copy_out(self, source, is_asynchronous);
  } else {
    TORCH_CHECK(self.device() == source.device(), "a copy from ", source.device(), " to ", self.device());
    queue(self.get_device(), "copy", {extent_of(self), extent_of(source)},
          [to = bytes_of(self), from = bytes_of(source)] { to.copy_(from); });
  }
  return self;
}

at::Scalar value_of(const Tensor& self) {
  wait(self.get_device(), "item");
  at::Scalar value;
  with_host_operators([&] { value = at::_local_scalar_dense(bytes_of(self)); });
  return value;
}

TORCH_LIBRARY_IMPL(aten, CUDA, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("resize_", resize);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("view", at::native::view);
  m.impl("_reshape_alias", at::native::_reshape_alias);
  m.impl("unfold", at::native::unfold);
  m.impl("copy_", copy);
  m.impl("_local_scalar_dense", value_of);
}

}  // namespace
}  // namespace sft::test::simulated
