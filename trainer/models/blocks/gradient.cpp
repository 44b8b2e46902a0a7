#include "trainer/models/blocks/gradient.h"

#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct ReadApart : torch::autograd::Function<ReadApart> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& leaf) {
    ctx->save_for_backward({leaf});
    return leaf.view(leaf.sizes());
  }
  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    return {deliver(ctx->get_saved_variables()[0], d_outputs[0])};
  }
};

}  // namespace

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

at::Tensor read_apart(const at::Tensor& leaf) { return ReadApart::apply(leaf); }

}  // namespace sft
