#include "trainer/optim/sgd.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>

#include "trainer/optim/flat_zeros.h"
#include "trainer/optim/group_runs.h"

namespace sft {
namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups, std::vector<Slice> owned)
      : Optimizer(arena, std::move(owned)),
        momentum_(config.momentum),
        nesterov_(config.nesterov),
        groups_(std::move(groups)) {
    if (momentum_ > 0) momentum_buffer_ = flat_zeros(size_of(this->owned()), arena.values().options());
    for (int g = 0; g < static_cast<int>(groups_.size()); ++g)
      runs_.push_back({values_of(arena, this->owned(), g), gradients_of(arena, this->owned(), g),
                       momentum_ > 0 ? packed_runs_of(momentum_buffer_, this->owned(), g) : std::vector<at::Tensor>{}});
  }

  void step(double rate, const at::Tensor& left_out) override {
    const at::NoGradGuard no_graph;
    updates_.add(left_out);
    for (size_t g = 0; g < groups_.size(); ++g) {
      const auto& [values, gradients, buffers] = runs_[g];
      if (values.empty()) continue;
      // torch copies the first gradient into the buffer; a buffer of zeros comes to the same without dampening.
      at::_fused_sgd_(values, gradients, buffers, groups_[g].weight_decay, momentum_, rate * groups_[g].lr_multiplier,
                      /*dampening=*/0.0, nesterov_, /*maximize=*/false, /*is_first_step=*/false,
                      /*grad_scale=*/std::nullopt, found_inf(left_out));
    }
  }

  std::vector<std::pair<std::string, at::Tensor>> state() override {
    if (momentum_ > 0) return {{"momentum_buffer", momentum_buffer_}};
    return {};
  }

 private:
  // Views of the slices of one group.
  struct Runs {
    std::vector<at::Tensor> values, gradients, buffers;
  };

  double momentum_;
  bool nesterov_;
  std::vector<ParameterGroup> groups_;
  at::Tensor momentum_buffer_;
  std::vector<Runs> runs_;  // of each group
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups,
                                    std::vector<Slice> owned) {
  return std::make_unique<Sgd>(config, arena, std::move(groups), std::move(owned));
}

}  // namespace sft
