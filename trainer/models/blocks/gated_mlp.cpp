#include "trainer/models/blocks/gated_mlp.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "trainer/models/blocks/decoder_kernels.h"
#include "trainer/models/blocks/on_device.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kGatedAThread = 4096;

// Of contiguous rows.
at::Tensor swish_gated(const at::Tensor& gate, const at::Tensor& up) {
  const at::Tensor y = at::empty_like(gate);
  AT_DISPATCH_FLOATING_TYPES(gate.scalar_type(), "swish_gate", [&] {
    const SwishGate<scalar_t> work{gate.const_data_ptr<scalar_t>(), up.const_data_ptr<scalar_t>(),
                                   y.mutable_data_ptr<scalar_t>()};
    at::parallel_for(0, gate.numel(), kGatedAThread, [&](int64_t begin, int64_t end) { swish_gate(work, begin, end); });
  });
  return y;
}

struct SwishGated : torch::autograd::Function<SwishGated> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate_any, const at::Tensor& up_any) {
    const at::Tensor gate = gate_any.contiguous(), up = up_any.contiguous();
    ctx->save_for_backward({gate, up});
    return swish_gated(gate, up);
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor &gate = saved[0], &up = saved[1];
    const at::Tensor dy = d_outputs[0].contiguous(), d_gate = at::empty_like(gate), d_up = at::empty_like(up);
    AT_DISPATCH_FLOATING_TYPES(gate.scalar_type(), "swish_gate_backward", [&] {
      const SwishGateBackward<scalar_t> work{gate.const_data_ptr<scalar_t>(), up.const_data_ptr<scalar_t>(),
                                             dy.const_data_ptr<scalar_t>(), d_gate.mutable_data_ptr<scalar_t>(),
                                             d_up.mutable_data_ptr<scalar_t>()};
      at::parallel_for(0, gate.numel(), kGatedAThread,
                       [&](int64_t begin, int64_t end) { swish_gate_backward(work, begin, end); });
    });
    return {d_gate, d_up};
  }
};

// The device's kernel for an activation, where there is one.
std::optional<Gating> gating_of(Activation activation) {
  switch (activation) {
    case Activation::silu:
      return Gating::silu;
    case Activation::gelu:
      return Gating::gelu;
    case Activation::gelu_tanh:
      return Gating::gelu_tanh;
    default:
      return std::nullopt;
  }
}

struct GatedOnDevice : torch::autograd::Function<GatedOnDevice> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate_any, const at::Tensor& up_any,
                            Gating gating) {
    const at::Tensor gate = gate_any.contiguous(), up = up_any.contiguous(), y = at::empty_like(gate);
    device_kernels().gated({.rows = device_rows(gate),
                            .gating = gating,
                            .gate = gate.const_data_ptr(),
                            .up = up.const_data_ptr(),
                            .y = y.mutable_data_ptr()});
    ctx->save_for_backward({gate, up});
    ctx->saved_data["gating"] = static_cast<int64_t>(gating);
    return y;
  }

  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor dy = d_outputs[0].contiguous(), d_gate = at::empty_like(saved[0]), d_up = at::empty_like(saved[1]);
    device_kernels().gated({.rows = device_rows(dy),
                            .gating = static_cast<Gating>(ctx->saved_data["gating"].toInt()),
                            .gate = saved[0].const_data_ptr(),
                            .up = saved[1].const_data_ptr(),
                            .dy = dy.const_data_ptr(),
                            .d_gate = d_gate.mutable_data_ptr(),
                            .d_up = d_up.mutable_data_ptr()});
    return {d_gate, d_up, {}};
  }
};

}  // namespace

at::Tensor gated(Activation activation, const at::Tensor& gate, const at::Tensor& up) {
  if (activation == Activation::silu && gate.is_cpu())
    return c10::GradMode::is_enabled() ? SwishGated::apply(gate, up) : swish_gated(gate.contiguous(), up.contiguous());
  const std::optional<Gating> gating = gating_of(activation);
  if (gating && !gate.is_cpu()) return GatedOnDevice::apply(gate, up, *gating);
  return activate(activation, gate) * up;
}

}  // namespace sft
