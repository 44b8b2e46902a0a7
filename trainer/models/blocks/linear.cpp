#include "trainer/models/blocks/linear.h"

#include <ATen/ops/sum.h>
#include <torch/csrc/autograd/custom_function.h>

#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/matrix_product.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// `parameters` holds each layer's weight, and its bias behind it where it has one; `computed` the same tensors, or
// copies of them in the type of the product. Where that is narrower than x, x and the outputs' gradients are rounded to
// it once, and kept so.
struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static tensor_list forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList parameters,
                             const tensor_list& computed, const std::vector<bool>& biased) {
    const at::Tensor rows = x.to(computed[0].scalar_type());
    tensor_list outputs, saved{rows};
    size_t at = 0;
    for (const bool has_bias : biased) {
      const at::Tensor weight = computed[at].t();
      const at::Tensor y = has_bias ? biased_product(computed[at + 1], rows, weight) : product(rows, weight);
      outputs.push_back(y.to(x.scalar_type()));
      at += has_bias ? 2 : 1;
    }
    saved.insert(saved.end(), parameters.begin(), parameters.end());
    saved.insert(saved.end(), computed.begin(), computed.end());
    ctx->save_for_backward(saved);
    ctx->saved_data["biased"] = biased;
    ctx->set_materialize_grads(false);
    return outputs;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const auto biased = ctx->saved_data["biased"].toBoolList();
    const at::Tensor& x = saved[0];
    const size_t num_parameters = (saved.size() - 1) / 2;
    tensor_list gradients(num_parameters + 3);
    size_t at = 1;
    for (size_t i = 0; i < d_outputs.size(); ++i) {
      const bool has_bias = biased.get(i);
      if (d_outputs[i].defined()) {
        const at::Tensor dy = d_outputs[i].to(x.scalar_type());
        if (ctx->needs_input_grad(0)) {
          const at::Tensor& weight = saved[num_parameters + at];
          if (gradients[0].defined()) {
            add_product(gradients[0], dy, weight);
          } else {
            gradients[0] = product(dy, weight).to(d_outputs[i].scalar_type());
          }
        }
        if (ctx->needs_input_grad(at)) gradients[at] = weight_gradient(saved[at], dy, x);
        if (has_bias && ctx->needs_input_grad(at + 1))
          gradients[at + 1] = deliver(saved[at + 1], bias_gradient(saved[at + 1], d_outputs[i]));
      }
      at += has_bias ? 2 : 1;
    }
    return gradients;
  }

  static at::Tensor bias_gradient(const at::Tensor& bias, const at::Tensor& dy) {
    return at::sum(dy, {0}, /*keepdim=*/false, bias.scalar_type());
  }

  static at::Tensor weight_gradient(const at::Tensor& weight, const at::Tensor& dy, const at::Tensor& x) {
    at::Tensor gradient = preset_gradient(weight);
    if (!gradient.defined()) return product(dy.t(), x).to(weight.scalar_type());
    add_product(gradient, dy.t(), x);
    return {};
  }
};

}  // namespace

std::vector<at::Tensor> linear(const at::Tensor& x, const std::vector<Linear>& layers) {
  tensor_list parameters, computed;
  std::vector<bool> biased;
  const auto add = [&](const at::Tensor& parameter, const at::Tensor& narrow) {
    parameters.push_back(parameter);
    computed.push_back(narrow.defined() ? narrow : parameter.detach());
  };
  for (const Linear& layer : layers) {
    add(layer.weight, layer.narrow_weight);
    if (layer.bias.defined()) add(layer.bias, layer.narrow_bias);
    biased.push_back(layer.bias.defined());
  }
  return LinearFunction::apply(x, at::TensorList(parameters), computed, biased);
}

at::Tensor linear(const at::Tensor& x, const Linear& layer) { return linear(x, std::vector{layer}).front(); }

}  // namespace sft
