#include "trainer/models/blocks/activation.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/gelu_kernels.h"
#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/on_device.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr std::array<std::pair<const char*, Activation>, 12> kNames{{
    {"gelu", Activation::gelu},
    {"gelu_python", Activation::gelu},
    {"gelu_new", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh},
    {"gelu_pytorch_tanh", Activation::gelu_tanh},
    {"relu", Activation::relu},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"tanh", Activation::tanh},
    {"sigmoid", Activation::sigmoid},
    {"quick_gelu", Activation::quick_gelu},
    {"mish", Activation::mish},
}};

// Rows of one partial sum of the bias' gradient; partial sums are added in order, whatever the number of threads.
constexpr int64_t kChunk = 64;

struct BiasGelu : torch::autograd::Function<BiasGelu> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x_any, const at::Tensor& bias) {
    const at::Tensor x = x_any.contiguous(), y = at::empty_like(x);
    ctx->save_for_backward({x, bias});
    if (!x.is_cpu()) {
      device_kernels().bias_gelu(
          {device_rows(x), x.const_data_ptr(), nullptr, bias.const_data_ptr(), y.mutable_data_ptr()});
      return y;
    }
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "gelu", [&] {
      const GeluRows<scalar_t> rows{x.size(1), x.const_data_ptr<scalar_t>(), bias.const_data_ptr<scalar_t>(),
                                    y.data_ptr<scalar_t>()};
      at::parallel_for(0, x.size(0), kChunk, [&](int64_t begin, int64_t end) { gelu_rows(rows, begin, end); });
    });
    return y;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &bias = saved[1];
    const at::Tensor dy = d_outputs[0].contiguous(), dx = at::empty_like(x);
    if (!x.is_cpu()) {
      device_kernels().bias_gelu(
          {device_rows(x), x.const_data_ptr(), dy.const_data_ptr(), bias.const_data_ptr(), dx.mutable_data_ptr()});
      return {dx, ctx->needs_input_grad(1) ? deliver(bias, at::sum(dx, {0}, false, bias.scalar_type())) : at::Tensor()};
    }
    const int64_t num_rows = x.size(0), width = x.size(1), chunks = (num_rows + kChunk - 1) / kChunk;
    const at::Tensor partial = at::zeros({chunks, width}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "gelu_backward", [&] {
      const GeluBackwardRows<scalar_t> rows{width, x.const_data_ptr<scalar_t>(), bias.const_data_ptr<scalar_t>(),
                                            dy.const_data_ptr<scalar_t>(), dx.data_ptr<scalar_t>()};
      at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t chunk = begin; chunk < end; ++chunk) {
          gelu_backward_rows(rows, partial.data_ptr<scalar_t>() + chunk * width, chunk * kChunk,
                             std::min((chunk + 1) * kChunk, num_rows));
        }
      });
    });
    return {dx, ctx->needs_input_grad(1) ? deliver(bias, partial.sum(0)) : at::Tensor()};
  }
};

}  // namespace

Activation activation_named(const std::string& name, const std::string& key) {
  std::vector<std::string> known;
  for (const auto& [spelling, activation] : kNames) {
    if (name == spelling) return activation;
    known.emplace_back(spelling);
  }
  throw ConfigError(concat(key, " = ", in_quotes(name), " is not built", did_you_mean(name, known),
                           "; there are: ", join(known, ", ")));
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::relu:
      return at::relu(x);
    case Activation::silu:
      return at::silu(x);
    case Activation::tanh:
      return at::tanh(x);
    case Activation::sigmoid:
      return at::sigmoid(x);
    case Activation::mish:
      return at::mish(x);
    case Activation::quick_gelu:
      break;
  }
  return x * at::sigmoid(x * 1.702);
}

at::Tensor activate(Activation activation, const at::Tensor& x, const at::Tensor& bias) {
  if (activation == Activation::gelu) return BiasGelu::apply(x, bias);
  return activate(activation, x + bias.to(x.scalar_type()));  // x may be narrower than parameters
}

}  // namespace sft
