#include "trainer/loop/late_number.h"

#include <ATen/ops/empty.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace sft {

LateNumber::LateNumber(const at::Tensor& scalar) {
  if (scalar.is_cpu()) {
    on_host_ = scalar.detach();
    return;
  }
  on_host_ = at::empty({}, at::TensorOptions().dtype(scalar.dtype()).pinned_memory(true));
  on_host_.copy_(scalar.detach(), /*non_blocking=*/true);
  there_.emplace(scalar.device().type());
  there_->record(c10::impl::VirtualGuardImpl(scalar.device().type()).getStream(scalar.device()));
}

double LateNumber::value() const {
  if (there_) there_->synchronize();
  return on_host_.item<double>();
}

}  // namespace sft
