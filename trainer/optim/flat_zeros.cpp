#include "trainer/optim/flat_zeros.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <sys/mman.h>

namespace sft {

at::Tensor flat_zeros(int64_t size, const at::TensorOptions& options) {
  if (!options.device().is_cpu() || size == 0) return at::zeros({size}, options);
  const size_t bytes = static_cast<size_t>(size) * options.dtype().itemsize();
  void* const pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (pages == MAP_FAILED) return at::zeros({size}, options);  // which says what is lacking
  return at::from_blob(
      pages, {size}, [bytes](void* at) { ::munmap(at, bytes); }, options);
}

}  // namespace sft
