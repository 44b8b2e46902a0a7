// Products of narrow numbers that are added and left wide. LibTorch has them for CUDA alone; here the numbers are made
// wide before, which is the same but for the order of additions.
#include <ATen/ops/addmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "tests/simulated_gpu/simulated_gpu.h"

namespace sft::test::simulated {
namespace {

using at::Scalar;
using at::Tensor;

Tensor wide_bmm(const Tensor& a, const Tensor& b, c10::ScalarType type) {
  const Tensor result = at::empty({a.size(0), a.size(1), b.size(2)}, a.options().dtype(type));
  queue(a.get_device(), "bmm of a wide result", {extent_of(a), extent_of(b), extent_of(result)},
        [type, a_host = bytes_of(a), b_host = bytes_of(b), to = bytes_of(result)] {
          to.copy_(at::bmm(a_host.to(type), b_host.to(type)));
        });
  return result;
}

Tensor& wide_addmm(const Tensor& self, const Tensor& a, const Tensor& b, c10::ScalarType type, const Scalar& beta,
                   const Scalar& alpha, Tensor& out) {
  queue(out.get_device(), "addmm of a wide result", {extent_of(self), extent_of(a), extent_of(b), extent_of(out)},
        [=, self_host = bytes_of(self), a_host = bytes_of(a), b_host = bytes_of(b), to = bytes_of(out)] {
          to.copy_(at::addmm(self_host.to(type), a_host.to(type), b_host.to(type), beta, alpha));
        });
  return out;
}

TORCH_LIBRARY_IMPL(aten, CUDA, m) {
  m.impl("bmm.dtype", wide_bmm);
  m.impl("addmm.dtype_out", wide_addmm);
}

}  // namespace
}  // namespace sft::test::simulated
