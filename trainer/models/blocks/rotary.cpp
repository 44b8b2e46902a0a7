#include "trainer/models/blocks/rotary.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/where.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <bit>
#include <numbers>

#include "trainer/models/blocks/decoder_kernels.h"
#include "trainer/models/blocks/on_device.h"

namespace sft {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kRotatedRowsAThread = 64;
constexpr int64_t kFewestPositions = 256;

at::Tensor rotated_rows(const at::Tensor& x_any, const at::Tensor& positions, const RotaryAngles& angles, bool back) {
  const at::Tensor x = x_any.contiguous(), y = at::empty_like(x);
  if (!x.is_cpu()) {
    device_kernels().rotate({.rows = device_rows(x),
                             .half = angles.cosines.size(1),
                             .back = back,
                             .positions = positions.const_data_ptr<int64_t>(),
                             .cosines = angles.cosines.const_data_ptr(),
                             .sines = angles.sines.const_data_ptr(),
                             .x = x.const_data_ptr(),
                             .y = y.mutable_data_ptr()});
    return y;
  }
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "rotate", [&] {
    const int64_t half = angles.cosines.size(1);
    const RotateRows<scalar_t> rows{.heads = x.size(1) / (2 * half),
                                    .half = half,
                                    .back = back,
                                    .positions = positions.const_data_ptr<int64_t>(),
                                    .cosines = angles.cosines.const_data_ptr<scalar_t>(),
                                    .sines = angles.sines.const_data_ptr<scalar_t>(),
                                    .x = x.const_data_ptr<scalar_t>(),
                                    .y = y.mutable_data_ptr<scalar_t>()};
    at::parallel_for(0, x.size(0), kRotatedRowsAThread,
                     [&](int64_t begin, int64_t end) { rotate_rows(rows, begin, end); });
  });
  return y;
}

struct Rotation : torch::autograd::Function<Rotation> {
  static tensor_list forward(AutogradContext* ctx, const at::Tensor& q, const at::Tensor& k,
                             const at::Tensor& positions_M, const at::Tensor& positions_N, const at::Tensor& cosines,
                             const at::Tensor& sines) {
    ctx->save_for_backward({positions_M, positions_N, cosines, sines});
    ctx->set_materialize_grads(false);
    const RotaryAngles angles{cosines, sines};
    return {rotated_rows(q, positions_M, angles, false), rotated_rows(k, positions_N, angles, false)};
  }
  static tensor_list backward(AutogradContext* ctx, const tensor_list& d_outputs) {
    const tensor_list saved = ctx->get_saved_variables();
    const RotaryAngles angles{saved[2], saved[3]};
    tensor_list gradients(6);
    for (size_t i = 0; i < 2; ++i)
      if (d_outputs[i].defined()) gradients[i] = rotated_rows(d_outputs[i], saved[i], angles, true);
    return gradients;
  }
};

// Long waves are stretched by the factor, short ones stay, and those between go over smoothly (Llama 3.1).
at::Tensor llama3_scaled(const at::Tensor& frequencies, const RotaryRule& rule) {
  const auto original = static_cast<double>(rule.original_positions);
  const double longest = original / rule.low_frequency_factor, shortest = original / rule.high_frequency_factor;
  // A number divided by a tensor is, in Python, the reciprocal times the number: another last bit.
  const at::Tensor length = frequencies.reciprocal() * (2 * std::numbers::pi);
  const at::Tensor scaled = at::where(length > longest, frequencies / rule.factor, frequencies);
  const at::Tensor share = (length.reciprocal() * original - rule.low_frequency_factor) /
                           (rule.high_frequency_factor - rule.low_frequency_factor);
  const at::Tensor between = (1 - share) * scaled / rule.factor + share * scaled;
  return at::where(length.ge(shortest).logical_and(length.le(longest)), between, scaled);
}

}  // namespace

at::Tensor rotary_frequencies(const RotaryRule& rule) {
  const at::Tensor exponents =
      at::arange(0, rule.head_width, 2, at::kLong).to(at::kFloat) / static_cast<double>(rule.head_width);
  const at::Tensor frequencies = 1.0 / at::pow(at::Scalar(rule.theta), exponents);
  switch (rule.scaling) {
    case RotaryScaling::linear:
      return frequencies / rule.factor;
    case RotaryScaling::llama3:
      return llama3_scaled(frequencies, rule);
    case RotaryScaling::none:
      break;
  }
  return frequencies;
}

RotaryTable::RotaryTable(const RotaryRule& rule, const at::TensorOptions& options)
    : frequencies_(rotary_frequencies(rule)), options_(options) {}

const RotaryAngles& RotaryTable::up_to(int64_t positions) {
  if (angles_.cosines.defined() && positions <= angles_.cosines.size(0)) return angles_;
  const auto count = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max(positions, kFewestPositions))));
  const at::Tensor angles = at::arange(count, at::kLong).to(at::kFloat).unsqueeze(1) * frequencies_;
  angles_ = {at::cos(angles).to(options_), at::sin(angles).to(options_)};
  return angles_;
}

Rotated rotate(const at::Tensor& q, const at::Tensor& k, const at::Tensor& positions_M, const at::Tensor& positions_N,
               const RotaryAngles& angles) {
  if (!c10::GradMode::is_enabled())
    return {rotated_rows(q, positions_M, angles, false), rotated_rows(k, positions_N, angles, false)};
  const tensor_list both = Rotation::apply(q, k, positions_M, positions_N, angles.cosines, angles.sines);
  return {both[0], both[1]};
}

}  // namespace sft
