#include "trainer/models/blocks/linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/matrix_product.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// `parameters` holds each layer's weight, and its bias behind it where it has one.
struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static tensor_list forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList parameters,
                             const std::vector<bool>& biased) {
    tensor_list outputs;
    size_t at = 0;
    for (const bool has_bias : biased) {
      const at::Tensor& weight = parameters[at];
      outputs.push_back(product(x, weight.t()));
      if (has_bias) outputs.back().add_(parameters[at + 1]);
      at += has_bias ? 2 : 1;
    }
    tensor_list saved{x};
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["biased"] = biased;
    ctx->set_materialize_grads(false);
    return outputs;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const auto biased = ctx->saved_data["biased"].toBoolList();
    const at::Tensor& x = saved[0];
    tensor_list gradients(saved.size() + 1);
    size_t at = 1;
    for (size_t i = 0; i < d_outputs.size(); ++i) {
      const at::Tensor& dy = d_outputs[i];
      const bool has_bias = biased.get(i);
      if (dy.defined()) {
        if (ctx->needs_input_grad(0)) {
          if (gradients[0].defined()) {
            add_product(gradients[0], dy, saved[at]);
          } else {
            gradients[0] = product(dy, saved[at]);
          }
        }
        if (ctx->needs_input_grad(at)) gradients[at] = weight_gradient(saved[at], dy, x);
        if (has_bias && ctx->needs_input_grad(at + 1)) gradients[at + 1] = deliver(saved[at + 1], dy.sum(0));
      }
      at += has_bias ? 2 : 1;
    }
    return gradients;
  }

  static at::Tensor weight_gradient(const at::Tensor& weight, const at::Tensor& dy, const at::Tensor& x) {
    at::Tensor gradient = preset_gradient(weight);
    if (!gradient.defined()) return product(dy.t(), x);
    add_product(gradient, dy.t(), x);
    return {};
  }
};

}  // namespace

std::vector<at::Tensor> linear(const at::Tensor& x, const std::vector<Linear>& layers) {
  tensor_list parameters;
  std::vector<bool> biased;
  for (const Linear& layer : layers) {
    parameters.push_back(layer.weight);
    if (layer.bias.defined()) parameters.push_back(layer.bias);
    biased.push_back(layer.bias.defined());
  }
  return LinearFunction::apply(x, at::TensorList(parameters), biased);
}

at::Tensor linear(const at::Tensor& x, const Linear& layer) { return linear(x, std::vector{layer}).front(); }

}  // namespace sft
