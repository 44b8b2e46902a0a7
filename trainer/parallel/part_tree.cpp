// A binary counter: two sums of 2^k parts make one of 2^(k+1).
#include "trainer/parallel/part_tree.h"

#include <ATen/ops/empty_like.h>

#include <bit>
#include <cassert>

namespace sft {

PartTree::PartTree(at::Tensor sum, int parts) : sum_(std::move(sum)), parts_(parts) {
  assert(parts > 0 && std::has_single_bit(static_cast<unsigned>(parts)));
  for (int of = 1; of < parts; of *= 2) branches_.push_back(at::empty_like(sum_));
}

void PartTree::close_one() {
  size_t level = 0;
  for (int bits = closed_; bits & 1; bits >>= 1) sum_.add_(branches_[level++]);
  if (++closed_ == parts_) {
    closed_ = 0;
    return;
  }
  branches_[level].copy_(sum_);
  sum_.zero_();
}

}  // namespace sft
