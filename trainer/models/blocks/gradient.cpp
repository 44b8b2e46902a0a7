#include "trainer/models/blocks/gradient.h"

#include <ATen/ops/zeros_like.h>

namespace sft {

at::Tensor preset_gradient(const at::Tensor& leaf) { return leaf.is_leaf() ? leaf.grad() : at::Tensor(); }

GradientSum::GradientSum(const at::Tensor& leaf, bool wanted) {
  if (!wanted) return;
  sum_ = preset_gradient(leaf);
  is_preset_ = sum_.defined();
  if (!is_preset_) sum_ = at::zeros_like(leaf);
}

at::Tensor deliver(const at::Tensor& leaf, const at::Tensor& value) {
  at::Tensor gradient = preset_gradient(leaf);
  if (!gradient.defined()) return value;
  gradient.add_(value);
  return {};
}

}  // namespace sft
