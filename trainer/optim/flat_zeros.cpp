#include "trainer/optim/flat_zeros.h"

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <sys/mman.h>

#include <algorithm>

namespace sft {

at::Tensor flat_zeros(int64_t size, const at::TensorOptions& options) {
  if (!options.device().is_cpu() || size == 0) return at::zeros({size}, options);
  const int64_t bytes = size * static_cast<int64_t>(options.dtype().itemsize());
  void* const pages =
      ::mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return at::zeros({size}, options);  // which says what is lacking
  // By all threads, so that each has some of them near; a kernel older than 5.14 leaves them to the first touch.
  constexpr int64_t kPiece = 2 << 20;
  at::parallel_for(0, (bytes + kPiece - 1) / kPiece, 1, [&](int64_t first, int64_t last) {
    ::madvise(static_cast<char*>(pages) + first * kPiece,
              static_cast<size_t>(std::min(last * kPiece, bytes) - first * kPiece), MADV_POPULATE_WRITE);
  });
  return at::from_blob(
      pages, {size}, [bytes](void* at) { ::munmap(at, static_cast<size_t>(bytes)); }, options);
}

}  // namespace sft
