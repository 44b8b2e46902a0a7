// The learning rate as a pure function of the update number.
#pragma once

#include <cstdint>
#include <memory>

#include "trainer/optim/optim_config.h"

namespace sft {

class Schedule {
 public:
  virtual ~Schedule() = default;
  // For update `step` = 0 … total_steps−1.
  virtual double rate(int64_t step) const = 0;
  // After an evaluation; only reduce_lr_on_plateau listens. Its memory is state() for checkpoints.
  virtual void observe(double metric, bool greater_is_better);
  virtual std::string state() const;
  virtual void restore(const std::string& state);
};

std::unique_ptr<Schedule> make_schedule(const SchedulerConfig& config, double learning_rate, int64_t total_steps);

}  // namespace sft
