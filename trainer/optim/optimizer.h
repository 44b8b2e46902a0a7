// One update of the slices that this rank owns. Moments live in flat buffers beside the arena.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer/optim/arena.h"
#include "trainer/optim/optim_config.h"

namespace sft {

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // `rate` is the schedule's; each group multiplies it by its own factor. Gradients are read as they are.
  virtual void step(const std::vector<Slice>& slices, double rate) = 0;

  // Flat buffers of arena size by name ("exp_avg", "exp_avg_sq", "momentum_buffer"), for checkpoints. Writing into them
  // restores; the number of updates done is set beside.
  virtual std::vector<std::pair<std::string, at::Tensor>> state() = 0;
  virtual int64_t updates() const = 0;
  virtual void set_updates(int64_t updates) = 0;
};

std::unique_ptr<Optimizer> make_optimizer(const OptimConfig& config, const Arena& arena,
                                          std::vector<ParameterGroup> groups);

}  // namespace sft
