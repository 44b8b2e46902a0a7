#include "trainer/models/blocks/sent.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

namespace sft {
namespace {

template <class T>
at::Tensor view_of(std::span<const T> values) {
  return at::from_blob(const_cast<T*>(values.data()), {static_cast<int64_t>(values.size())},
                       c10::CppTypeToScalarType<T>::value);
}

}  // namespace

at::Tensor sent(const at::Tensor& host, const at::TensorOptions& there) {
  const at::TensorOptions here = at::TensorOptions()
                                     .dtype(there.has_dtype() ? there.dtype() : host.dtype())
                                     .pinned_memory(!there.device().is_cpu());
  const at::Tensor on_its_way = at::empty(host.sizes(), here);
  on_its_way.copy_(host);
  return on_its_way.to(there.device(), on_its_way.scalar_type(), /*non_blocking=*/true);
}

at::Tensor sent(std::span<const int64_t> values, const at::Device& device) {
  return sent(view_of(values), at::TensorOptions().dtype(at::kLong).device(device));
}

at::Tensor sent(std::span<const float> values, const at::TensorOptions& there) { return sent(view_of(values), there); }

}  // namespace sft
