#include "trainer/models/blocks/gradient.h"

namespace sft {

at::Tensor preset_gradient(const at::Tensor& leaf) { return leaf.is_leaf() ? leaf.grad() : at::Tensor(); }

at::Tensor deliver(const at::Tensor& leaf, const at::Tensor& value) {
  at::Tensor gradient = preset_gradient(leaf);
  if (!gradient.defined()) return value;
  gradient.add_(value);
  return {};
}

}  // namespace sft
