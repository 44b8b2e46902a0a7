#include "trainer/optim/group_runs.h"

#include <ATen/core/Tensor.h>

namespace sft {

std::vector<at::Tensor> runs_of(const at::Tensor& flat, const std::vector<Slice>& slices, int group) {
  std::vector<at::Tensor> runs;
  for (const Slice& slice : slices) {
    if (slice.group == group) runs.push_back(flat.narrow(0, slice.offset, slice.size));
  }
  return runs;
}

}  // namespace sft
