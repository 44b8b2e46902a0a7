// One update of the slices that this rank owns. Moments of these alone are kept, in flat buffers beside the arena.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer/optim/arena.h"
#include "trainer/optim/optim_config.h"
#include "trainer/optim/update_count.h"

namespace sft {

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // `rate` is the schedule's; each group multiplies it by its own factor. Gradients are read as they are. `left_out`: a
  // float32 scalar on the arena's device, which no host waits for; where it is 1 nothing moves and no update counts.
  virtual void step(double rate, const at::Tensor& left_out) = 0;
  void step(double rate) { step(rate, {}); }

  // The slices that are updated.
  const std::vector<Slice>& owned() const { return owned_; }

  // Flat buffers by name ("exp_avg", "exp_avg_sq", "momentum_buffer") in which the owned slices lie one behind the
  // other, for checkpoints. Writing into them restores; the number of updates done is set beside.
  virtual std::vector<std::pair<std::string, at::Tensor>> state() = 0;
  int64_t updates() const { return updates_.on_host(); }  // made, and not left out; waits for a device
  void set_updates(int64_t updates) { updates_.set(updates); }

 protected:
  Optimizer(const Arena& arena, std::vector<Slice> owned)
      : updates_(arena.values().device()), owned_(std::move(owned)) {}

  UpdateCount updates_;

 private:
  std::vector<Slice> owned_;
};

// `owned`: slices of the arena, ascending, each of one group, whose gradients the arena keeps.
std::unique_ptr<Optimizer> make_optimizer(const OptimConfig& config, const Arena& arena,
                                          std::vector<ParameterGroup> groups, std::vector<Slice> owned);

}  // namespace sft
