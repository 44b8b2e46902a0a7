#include "trainer/optim/sgd.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>

#include "trainer/optim/flat_zeros.h"
#include "trainer/optim/group_runs.h"

namespace sft {
namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups)
      : momentum_(config.momentum),
        nesterov_(config.nesterov),
        groups_(std::move(groups)),
        values_(arena.values()),
        gradients_(arena.gradients()) {
    if (momentum_ > 0) momentum_buffer_ = flat_zeros(arena.size(), values_.options());
  }

  void step(const std::vector<Slice>& slices, double rate) override {
    const at::NoGradGuard no_graph;
    ++updates_;
    for (size_t g = 0; g < groups_.size(); ++g) {
      const int group = static_cast<int>(g);
      const auto values = runs_of(values_, slices, group);
      if (values.empty()) continue;
      const auto gradients = runs_of(gradients_, slices, group);
      const auto buffers = momentum_ > 0 ? runs_of(momentum_buffer_, slices, group) : std::vector<at::Tensor>{};
      // torch copies the first gradient into the buffer; a buffer of zeros comes to the same without dampening.
      at::_fused_sgd_(values, gradients, buffers, groups_[g].weight_decay, momentum_, rate * groups_[g].lr_multiplier,
                      /*dampening=*/0.0, nesterov_, /*maximize=*/false, /*is_first_step=*/false);
    }
  }

  std::vector<std::pair<std::string, at::Tensor>> state() override {
    if (momentum_ > 0) return {{"momentum_buffer", momentum_buffer_}};
    return {};
  }
  int64_t updates() const override { return updates_; }
  void set_updates(int64_t updates) override { updates_ = updates; }

 private:
  double momentum_;
  bool nesterov_;
  std::vector<ParameterGroup> groups_;
  at::Tensor values_, gradients_, momentum_buffer_;
  int64_t updates_ = 0;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups) {
  return std::make_unique<Sgd>(config, arena, std::move(groups));
}

}  // namespace sft
