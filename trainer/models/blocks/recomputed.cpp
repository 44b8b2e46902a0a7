#include "trainer/models/blocks/recomputed.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cassert>
#include <utility>

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

struct KeptStage : torch::CustomClassHolder {
  explicit KeptStage(StageFunction function) : stage(std::move(function)) {}
  StageFunction stage;
};

struct Recomputed : torch::autograd::Function<Recomputed> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const c10::intrusive_ptr<KeptStage>& kept) {
    ctx->save_for_backward({x});
    ctx->saved_data["stage"] = c10::IValue::make_capsule(kept);
    return kept->stage(x);
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const auto kept = ctx->saved_data["stage"].toCapsule();
    const at::Tensor x = ctx->get_saved_variables()[0].detach().set_requires_grad(true);
    {
      const at::AutoGradMode graph(true);
      const at::Tensor y = static_cast<const KeptStage&>(*kept).stage(x);
      torch::autograd::backward({y}, {d_outputs[0]});
    }
    return {x.grad(), at::Tensor()};
  }
};

}  // namespace

at::Tensor recomputed(StageFunction stage, const at::Tensor& x) {
  assert(x.requires_grad());
  return Recomputed::apply(x, c10::make_intrusive<KeptStage>(std::move(stage)));
}

}  // namespace sft
