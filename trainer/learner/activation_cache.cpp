#include "trainer/learner/activation_cache.h"

#include <ATen/ops/cat.h>

#include "base/mapped_file.h"

namespace sft {

at::Tensor ActivationCache::of(const Batch& batch) const {
  std::vector<at::Tensor> rows;
  for (const int64_t id : batch.ids) {
    const auto i = static_cast<size_t>(id);
    rows.push_back(all_.rows.narrow(0, all_.offsets[i], all_.offsets[i + 1] - all_.offsets[i]));
  }
  const at::Tensor out = rows.empty() ? all_.rows.narrow(0, 0, 0) : at::cat(rows);
  require_mapped_files_whole();  // rows of an earlier run are in a file
  return out;
}

}  // namespace sft
