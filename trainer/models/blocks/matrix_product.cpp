// ATen sends float32 products to MKL, which gives any CPU that is not Intel's its AVX2 kernels. oneDNN, in the same
// library, uses AVX-512 wherever it is: in full float32, 195 instead of 90 GFLOP/s on a core of an EPYC 9005. The
// choice is by the CPU's kind and not by a timing, so that a run repeats its bits.
#include "trainer/models/blocks/matrix_product.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <sys/resource.h>

#include <cstdlib>

#include "base/room.h"

namespace at::native {
// Exported by libtorch_cpu; the wheel (whose version tools/setup.sh pins) ships no header of it.
void mkldnn_matmul(const Tensor& a, const Tensor& b, const Tensor& result, float beta, float alpha);
}  // namespace at::native

namespace sft {
namespace {

bool cpu_prefers_onednn() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") && !__builtin_cpu_is("intel");
#else
  return false;
#endif
}

// oneDNN does not look whether it got the memory for what it sets up, and crashes: where the address space is limited
// (ulimit -v), std::bad_alloc comes before.
void require_room_of_products() {
  static const bool is_limited = [] {
    rlimit limit{};
    return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  }();
  if (is_limited) require_room(size_t{16} << 20);
}

bool by_onednn(const at::Tensor& a, const at::Tensor& b) {
  static const bool preferred = cpu_prefers_onednn();
  if (!preferred || !a.is_cpu() || a.scalar_type() != at::kFloat || a.numel() == 0 || b.numel() == 0) return false;
  require_room_of_products();
  return true;
}

}  // namespace

bool cpu_multiplies_bfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

void keep_few_products() {
  ::setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128", /*overwrite=*/0);
  ::setenv("LRU_CACHE_CAPACITY", "1", /*overwrite=*/0);  // ideep's
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b) {
  if (!by_onednn(a, b)) return at::mm(a, b);
  const at::Tensor result = at::empty({a.size(0), b.size(1)}, a.options());
  at::native::mkldnn_matmul(a, b, result, 0.0f, 1.0f);
  return result;
}

void add_product(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b) {
  if (by_onednn(a, b)) {
    at::native::mkldnn_matmul(a, b, sum, 1.0f, 1.0f);
  } else if (a.scalar_type() != sum.scalar_type()) {
    a.is_cpu() ? sum.add_(product(a, b)) : at::addmm_out(sum, sum, a, b, sum.scalar_type());
  } else {
    sum.addmm_(a, b);
  }
}

}  // namespace sft
