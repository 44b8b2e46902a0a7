#include "trainer/models/blocks/linear.h"

#include <ATen/core/custom_class.h>
#include <ATen/ops/sum.h>
#include <c10/core/GradMode.h>
#include <c10/core/ScalarType.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "trainer/models/blocks/drop_rate.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/held_weight.h"
#include "trainer/models/blocks/low_rank.h"
#include "trainer/models/blocks/matrix_product.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// That of the products: the narrow copy's, else the wider of x's and the weight's.
at::ScalarType type_of_products(const Linear& layer, const at::Tensor& x) {
  return layer.narrow_weight.defined() ? layer.narrow_weight.scalar_type()
                                       : c10::promoteTypes(x.scalar_type(), layer.weight.scalar_type());
}

// What the backward pass of a layer knows beside tensors.
struct LayerForm {
  bool has_bias = false, has_adapter = false;
  at::ScalarType type;  // of the products
  double scale = 0;
  Dropout dropout;

  LayerForm(const Linear& layer, const at::Tensor& x)
      : has_bias(layer.bias.defined()), has_adapter(layer.adapter != nullptr), type(type_of_products(layer, x)) {
    if (!has_adapter) return;
    scale = layer.adapter->scale;
    dropout = layer.adapter->dropout;
  }
};

struct LayerForms : torch::CustomClassHolder {
  LayerForms(const std::vector<Linear>& layers, const at::Tensor& x) {
    for (const Linear& layer : layers) all.emplace_back(layer, x);
  }
  std::vector<LayerForm> all;
};

// Rows under an adapter's own dropout. On a CPU masks fall on wide rows.
at::Tensor fallen(const at::Tensor& rows, const Dropout& dropout, const RowKeys& keys) {
  if (!keys.draws.defined() || !DropRate(dropout.p).drops()) return rows;
  const bool widens = rows.is_cpu() && rows.scalar_type() == at::kBFloat16;
  const at::Tensor wide = widens ? rows.to(at::kFloat) : rows;
  return dropped(wide, dropout, keys.draws, keys.positions).to(rows.scalar_type());
}

// Adds s · B A x to y; what it returns, s · A x [N, r], is what the gradient of B needs.
at::Tensor add_adapter(at::Tensor& y, const at::Tensor& rows, const LowRank& adapter, const RowKeys& keys) {
  const at::Tensor a = adapter.a.detach().to(rows.scalar_type()), b = adapter.b.detach().to(rows.scalar_type());
  at::Tensor low = product(fallen(rows, adapter.dropout, keys), a.t());
  low.mul_(adapter.scale);
  add_product(y, low, b.t());
  return low;
}

// What a layer gives, and what its backward pass needs beside its parameters.
struct Output {
  at::Tensor y, weight, low;  // [N, out], of the product, s · A x where there is an adapter
};

// `rows` are in the type of the products, y in that of the layer's input.
Output output_of(const Linear& layer, const at::Tensor& rows, at::ScalarType type, const RowKeys& keys) {
  Output output;
  output.weight = layer.narrow_weight.defined() ? layer.narrow_weight : layer.weight.detach();
  output.y = layer.bias.defined()
                 ? biased_product_with(layer.narrow_bias.defined() ? layer.narrow_bias : layer.bias.detach(), rows,
                                       output.weight)
                 : product_with(rows, output.weight);
  output.y = output.y.to(type);
  if (layer.adapter) output.low = add_adapter(output.y, rows, *layer.adapter, keys);
  return output;
}

// `parameters` holds each layer's weight, its bias behind it where it has one, and its adapter's A and B behind these.
// Products are of their narrow copies where there are some. Where those are narrower than x, x and the outputs'
// gradients are rounded to their type once, and kept so. A weight without a copy that is held in a narrower type than x
// is widened in each product.
//
// Kept are: the rows, where somebody needs them; their keys; then of each layer weight, copy, bias, A, B, s · A x.
struct LinearFunction : torch::autograd::Function<LinearFunction> {
  static constexpr size_t kRows = 0, kDraws = 1, kPositions = 2, kLayers = 3;

  static tensor_list forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList parameters,
                             const std::vector<Linear>& layers, const RowKeys& keys) {
    tensor_list outputs, saved{{}, keys.draws, keys.positions};
    bool needs_rows = false;
    auto parameter = parameters.begin();
    const at::Tensor rows = x.to(type_of_products(layers.front(), x));
    for (const Linear& layer : layers) {
      Output output = output_of(layer, rows, x.scalar_type(), keys);
      needs_rows = needs_rows || parameter->requires_grad();
      saved.insert(saved.end(), {*parameter++, output.weight});
      if (layer.bias.defined()) saved.push_back(*parameter++);
      if (layer.adapter) {
        needs_rows = needs_rows || parameter->requires_grad();
        saved.insert(saved.end(), {parameter[0], parameter[1], output.low});
        parameter += 2;
      }
      outputs.push_back(std::move(output.y));
    }
    if (needs_rows) saved[kRows] = rows;
    ctx->save_for_backward(saved);
    ctx->saved_data["forms"] = c10::IValue::make_capsule(c10::make_intrusive<LayerForms>(layers, x));
    ctx->set_materialize_grads(false);
    return outputs;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const auto capsule = ctx->saved_data["forms"].toCapsule();
    const std::vector<LayerForm>& forms = static_cast<const LayerForms&>(*capsule).all;
    tensor_list gradients(1);  // of x, then of the parameters in their order
    size_t at = kLayers;
    for (size_t i = 0; i < forms.size(); ++i) {
      const LayerForm& form = forms[i];
      const at::Tensor &leaf = saved[at], &weight = saved[at + 1];
      at += 2;
      at::Tensor dy;
      if (d_outputs[i].defined()) {
        dy = d_outputs[i].to(form.type);
        if (ctx->needs_input_grad(0)) add_to(gradients[0], dy, weight, d_outputs[i].scalar_type());
      }
      const auto wanted = [&] { return dy.defined() && ctx->needs_input_grad(gradients.size()); };
      gradients.push_back(wanted() ? weight_gradient(leaf, dy, saved[kRows]) : at::Tensor());
      if (form.has_bias) {
        const at::Tensor& bias = saved[at++];
        gradients.push_back(wanted() ? deliver(bias, bias_gradient(bias, d_outputs[i])) : at::Tensor());
      }
      if (!form.has_adapter) continue;
      const at::Tensor &a = saved[at], &b = saved[at + 1], &low = saved[at + 2];
      const RowKeys keys{saved[kDraws], saved[kPositions]};
      at += 3;
      at::Tensor d_low;  // [N, r]
      if (dy.defined()) {
        d_low = product(dy, b.detach().to(dy.scalar_type())).mul_(form.scale);
        if (ctx->needs_input_grad(0)) add_through(gradients[0], d_low, a, form.dropout, keys);
      }
      gradients.push_back(wanted() ? weight_gradient(a, d_low, fallen(saved[kRows], form.dropout, keys))
                                   : at::Tensor());
      gradients.push_back(wanted() ? weight_gradient(b, dy, low) : at::Tensor());
    }
    gradients.resize(gradients.size() + 2);
    return gradients;
  }

  // dx += dy · W, in the type of the outputs.
  static void add_to(at::Tensor& dx, const at::Tensor& dy, const at::Tensor& weight, at::ScalarType type) {
    if (dx.defined())
      add_product_back(dx, dy, weight);
    else
      dx = product_back(dy, weight).to(type);
  }

  // dx += d_low · A where the adapter's rows did not fall.
  static void add_through(at::Tensor& dx, const at::Tensor& d_low, const at::Tensor& a, const Dropout& dropout,
                          const RowKeys& keys) {
    const at::Tensor narrow = a.detach().to(d_low.scalar_type());
    if (!keys.draws.defined() || !DropRate(dropout.p).drops())
      add_product(dx, d_low, narrow);
    else
      dx.add_(fallen(product(d_low, narrow), dropout, keys));
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

std::vector<at::Tensor> linear(const at::Tensor& x, const std::vector<Linear>& layers, const RowKeys& keys) {
  if (!c10::GradMode::is_enabled()) {
    tensor_list outputs;
    const at::Tensor rows = x.to(type_of_products(layers.front(), x));
    for (const Linear& layer : layers) outputs.push_back(output_of(layer, rows, x.scalar_type(), keys).y);
    return outputs;
  }
  tensor_list parameters;
  for (const Linear& layer : layers) {
    parameters.push_back(layer.weight);
    if (layer.bias.defined()) parameters.push_back(layer.bias);
    if (layer.adapter) parameters.insert(parameters.end(), {layer.adapter->a, layer.adapter->b});
  }
  return LinearFunction::apply(x, at::TensorList(parameters), layers, keys);
}

at::Tensor linear(const at::Tensor& x, const Linear& layer, const RowKeys& keys) {
  return linear(x, std::vector{layer}, keys).front();
}

std::vector<at::Tensor> linear(const at::Tensor& x, const std::vector<Linear>& layers) {
  for (const Linear& layer : layers)
    if (layer.adapter && layer.adapter->dropout.p > 0)
      throw std::logic_error("an adapter's dropout falls by row: linear() wants the rows' keys");
  return linear(x, layers, RowKeys{});
}

at::Tensor linear(const at::Tensor& x, const Linear& layer) { return linear(x, std::vector{layer}).front(); }

}  // namespace sft
