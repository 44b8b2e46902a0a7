#include "trainer/optim/update_count.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

namespace sft {

UpdateCount::UpdateCount(const at::Device& device)
    : count_(at::zeros({}, at::TensorOptions().dtype(at::kLong).device(device))),
      for_kernels_(at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(device))) {}

void UpdateCount::add(const at::Tensor& left_out) {
  if (left_out.defined())
    count_.add_(left_out.ne(1));
  else
    count_.add_(1);
  for_kernels_.copy_(count_);
}

int64_t UpdateCount::on_host() const { return count_.item<int64_t>(); }

void UpdateCount::set(int64_t updates) { count_.fill_(updates); }

}  // namespace sft
