#include "trainer/optim/group_runs.h"

#include <ATen/core/Tensor.h>

namespace sft {

std::vector<at::Tensor> values_of(const Arena& arena, const std::vector<Slice>& slices, int group) {
  std::vector<at::Tensor> runs;
  for (const Slice& slice : slices) {
    if (slice.group == group) runs.push_back(arena.value(slice.offset, slice.size));
  }
  return runs;
}

std::vector<at::Tensor> packed_runs_of(const at::Tensor& packed, const std::vector<Slice>& slices, int group) {
  std::vector<at::Tensor> runs;
  int64_t place = 0;
  for (const Slice& slice : slices) {
    if (slice.group == group) runs.push_back(packed.narrow(0, place, slice.size));
    place += slice.size;
  }
  return runs;
}

std::vector<at::Tensor> gradients_of(const Arena& arena, const std::vector<Slice>& slices, int group) {
  std::vector<at::Tensor> runs;
  for (const Slice& slice : slices) {
    if (slice.group == group) runs.push_back(arena.gradient(slice.offset, slice.size));
  }
  return runs;
}

int64_t size_of(const std::vector<Slice>& slices) {
  int64_t size = 0;
  for (const Slice& slice : slices) size += slice.size;
  return size;
}

}  // namespace sft
