// One update of the slices that this rank owns. Moments of these alone are kept, in flat buffers beside the arena.
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
  virtual void step(double rate) = 0;

  // The slices that are updated.
  const std::vector<Slice>& owned() const { return owned_; }

  // Flat buffers by name ("exp_avg", "exp_avg_sq", "momentum_buffer") in which the owned slices lie one behind the
  // other, for checkpoints. Writing into them restores; the number of updates done is set beside.
  virtual std::vector<std::pair<std::string, at::Tensor>> state() = 0;
  virtual int64_t updates() const = 0;
  virtual void set_updates(int64_t updates) = 0;

 protected:
  explicit Optimizer(std::vector<Slice> owned) : owned_(std::move(owned)) {}

 private:
  std::vector<Slice> owned_;
};

// `owned`: slices of the arena, ascending, each of one group, whose gradients the arena keeps.
std::unique_ptr<Optimizer> make_optimizer(const OptimConfig& config, const Arena& arena,
                                          std::vector<ParameterGroup> groups, std::vector<Slice> owned);

}  // namespace sft
