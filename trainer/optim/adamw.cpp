// Both rules run in LibTorch's fused kernels, which differ in where the decay goes: Adam adds it to the
// gradient, AdamW takes it from the weight. eps stands outside the bias-corrected square root, or in Keras's style
// inside of the correction.
#include "trainer/optim/adamw.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>

#include <algorithm>
#include <cmath>

#include "trainer/optim/flat_zeros.h"
#include "trainer/optim/group_runs.h"

namespace sft {
namespace {

class Adam final : public Optimizer {
 public:
  enum class Decay { coupled, decoupled };

  Adam(Decay decay, const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups,
       std::vector<Slice> owned)
      : Optimizer(arena, std::move(owned)),
        decay_(decay),
        beta1_(config.adam_beta1),
        beta2_(config.adam_beta2),
        epsilon_(config.adam_epsilon),
        epsilon_is_corrected_(config.adam_epsilon_style == "keras"),
        groups_(std::move(groups)),
        exp_avg_(flat_zeros(size_of(this->owned()), arena.values().options())),
        exp_avg_sq_(flat_zeros(size_of(this->owned()), arena.values().options())) {
    for (int g = 0; g < static_cast<int>(groups_.size()); ++g)
      runs_.push_back({values_of(arena, this->owned(), g), gradients_of(arena, this->owned(), g),
                       packed_runs_of(exp_avg_, this->owned(), g), packed_runs_of(exp_avg_sq_, this->owned(), g)});
  }

  void step(double rate, const at::Tensor& left_out) override {
    const at::NoGradGuard no_graph;
    updates_.add(left_out);
    const double outside = epsilon();
    for (size_t g = 0; g < groups_.size(); ++g) {
      const auto& [values, gradients, exp_avgs, exp_avg_sqs] = runs_[g];
      if (values.empty()) continue;
      const std::vector<at::Tensor> updates(values.size(), updates_.of_kernels());
      const auto update =
          decay_ == Decay::decoupled ? static_cast<Kernel>(at::_fused_adamw_) : static_cast<Kernel>(at::_fused_adam_);
      update(values, gradients, exp_avgs, exp_avg_sqs, /*max_exp_avg_sqs=*/{}, updates, rate * groups_[g].lr_multiplier,
             beta1_, beta2_, groups_[g].weight_decay, outside, /*amsgrad=*/false, /*maximize=*/false,
             /*grad_scale=*/std::nullopt, found_inf(left_out));
    }
  }

  std::vector<std::pair<std::string, at::Tensor>> state() override {
    return {{"exp_avg", exp_avg_}, {"exp_avg_sq", exp_avg_sq_}};
  }

 private:
  using Kernel = void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                          at::TensorList, double, double, double, double, double, bool, bool,
                          const std::optional<at::Tensor>&, const std::optional<at::Tensor>&);

  // Views of the slices of one group.
  struct Runs {
    std::vector<at::Tensor> values, gradients, exp_avgs, exp_avg_sqs;
  };

  // The kernels add it to √v/√(1 − β₂ᵗ); Keras adds it to √v (Kingma and Ba, 2015, end of section 2). They take it as a
  // number of the host, which has to wait for a device to know t.
  double epsilon() const {
    if (!epsilon_is_corrected_) return epsilon_;
    const auto t = static_cast<double>(std::max<int64_t>(updates(), 1));
    return epsilon_ / std::sqrt(1 - std::pow(beta2_, t));
  }

  Decay decay_;
  double beta1_, beta2_, epsilon_;
  bool epsilon_is_corrected_;
  std::vector<ParameterGroup> groups_;
  at::Tensor exp_avg_, exp_avg_sq_;
  std::vector<Runs> runs_;  // of each group
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups,
                                     std::vector<Slice> owned) {
  return std::make_unique<Adam>(Adam::Decay::coupled, config, arena, std::move(groups), std::move(owned));
}

std::unique_ptr<Optimizer> make_adamw(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups,
                                      std::vector<Slice> owned) {
  return std::make_unique<Adam>(Adam::Decay::decoupled, config, arena, std::move(groups), std::move(owned));
}

}  // namespace sft
