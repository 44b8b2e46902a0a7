// Over ranks: with n values a channel in all, x̂ = (x − μ)/σ,
//   ∂L/∂x = γ/σ (∂L/∂y − Σ ∂L/∂y / n − x̂ Σ ∂L/∂y x̂ / n),   sums over all ranks.
// μ comes first and the spread around it second: a sum of squares would lose its digits where |μ| ≫ σ.
#include "trainer/models/blocks/batch_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/var_mean.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

namespace sft {
namespace {

at::Tensor channels_of(const at::Tensor& value_C) { return value_C.view({1, -1, 1, 1}); }

// Of all ranks, where x is: a host would have to wait for a device to know how many values there are.
struct Moments {
  at::Tensor mean_C, var_C;  // float64
  at::Tensor count;          // float64 scalar: values a channel
};

Moments moments_over(const at::Tensor& x_BCHW, BatchStatistics& over) {
  const int64_t channels = x_BCHW.size(1), mine = channels == 0 ? 0 : x_BCHW.numel() / channels;
  const at::TensorOptions wide = at::TensorOptions().dtype(at::kDouble).device(x_BCHW.device());
  at::Tensor var_C = at::zeros({channels}, wide), mean_C = at::zeros({channels}, wide);
  if (mine > 0) {
    const auto both = at::var_mean(x_BCHW, at::IntArrayRef{0, 2, 3}, /*correction=*/at::Scalar(0));
    var_C = std::get<0>(both).to(at::kDouble);
    mean_C = std::get<1>(both).to(at::kDouble);
  }
  const auto count = static_cast<double>(mine);
  at::Tensor sums = at::cat({mean_C * count, at::full({1}, count, wide)});
  over.sum(sums);
  Moments all;
  all.count = sums[channels];
  const at::Tensor divisor = all.count.clamp_min(1);
  all.mean_C = sums.narrow(0, 0, channels) / divisor;
  at::Tensor spread = (var_C + (mean_C - all.mean_C).square()) * count;
  over.sum(spread);
  all.var_C = spread / divisor;
  return all;
}

void update_running(const BatchNorm& norm, const Moments& all) {
  norm.num_batches_tracked.detach().add_(1);
  const at::Tensor has_variance = all.count.ge(2);
  const at::Tensor var_C = norm.unbiased ? all.var_C * (all.count / (all.count - 1)) : all.var_C;
  const auto take = [&](const at::Tensor& running, const at::Tensor& now) {
    const at::Tensor before = running.detach();
    const at::Tensor moved = (before * (1 - norm.momentum)).add_(now.to(running.options()), norm.momentum);
    before.copy_(at::where(has_variance, moved, before));
  };
  take(norm.running_mean, all.mean_C);
  take(norm.running_var, var_C);
}

class Synchronized : public torch::autograd::Function<Synchronized> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const BatchNorm& norm, BatchStatistics* over) {
    const Moments all = moments_over(x, *over);
    update_running(norm, all);
    const at::Tensor mean = all.mean_C.to(x.options()), var = all.var_C.to(x.options());
    context->save_for_backward({x, weight, mean, (var + norm.eps).rsqrt(), all.count});
    context->saved_data["over"] = reinterpret_cast<int64_t>(over);
    if (x.numel() == 0) return at::empty_like(x);
    return std::get<0>(at::native_batch_norm(x, weight, bias, mean, var, /*training=*/false, norm.momentum, norm.eps));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3], &dy = gradients[0];
    auto* over = reinterpret_cast<BatchStatistics*>(context->saved_data["over"].toInt());
    const at::Tensor normal = (x - channels_of(mean)) * channels_of(inverse);
    const at::Tensor of_bias = dy.sum({0, 2, 3}), of_weight = (dy * normal).sum({0, 2, 3});
    at::Tensor sums = at::stack({of_bias, of_weight}).to(at::kDouble).contiguous();
    over->sum(sums);
    const at::Tensor shares = (sums / saved[4].clamp_min(1)).to(x.options());
    const at::Tensor dx =
        (dy - channels_of(shares[0]) - normal * channels_of(shares[1])) * channels_of(weight * inverse);
    return {dx, of_weight, of_bias, {}, {}};
  }
};

}  // namespace

at::Tensor batch_norm_by_running(const at::Tensor& x_BCHW, const BatchNorm& norm) {
  return at::batch_norm(x_BCHW, norm.weight, norm.bias, norm.running_mean, norm.running_var, /*training=*/false,
                        norm.momentum, norm.eps, /*cudnn_enabled=*/true);
}

at::Tensor batch_norm_by_batch(const at::Tensor& x_BCHW, const BatchNorm& norm, BatchStatistics* over) {
  if (over != nullptr) return Synchronized::apply(x_BCHW, norm.weight, norm.bias, norm, over);
  const bool has_variance = x_BCHW.numel() > x_BCHW.size(1);
  const at::Tensor none;
  norm.num_batches_tracked.detach().add_(1);
  // What it moves it also keeps for the backward pass: the share of the biased variance is worked out on a copy.
  const at::Tensor var_C = norm.unbiased ? norm.running_var : norm.running_var.detach().clone();
  at::Tensor y_BCHW =
      at::batch_norm(x_BCHW, norm.weight, norm.bias, has_variance ? norm.running_mean : none,
                     has_variance ? var_C : none, /*training=*/true, norm.momentum, norm.eps, /*cudnn_enabled=*/true);
  if (has_variance && !norm.unbiased) {  // torch has added n/(n − 1) of it
    const double share = 1 - static_cast<double>(x_BCHW.size(1)) / static_cast<double>(x_BCHW.numel());
    norm.running_var.detach().mul_((1 - norm.momentum) * (1 - share)).add_(var_C, share);
  }
  return y_BCHW;
}

}  // namespace sft
