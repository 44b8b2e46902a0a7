// The learning rate as a function of the update number.
//
// Formulas and defaults are those of transformers.get_scheduler, and of torch.optim.lr_scheduler for the shapes
// that Hugging Face lacks. All but `constant` and `one_cycle` warm up from 0 in a straight line first, as Hugging Face
// has it. min_lr_ratio r bounds the rate after the warm-up: a shape that decays to an end ends at r (1 → r instead of
// 1 → 0, as cosine_with_min_lr does it); one that has no end is cut off there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

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
  // Before evaluations that cannot be compared with those before, as of another metric; what they led to stays.
  virtual void forget_best();
};

std::unique_ptr<Schedule> make_schedule(const SchedulerConfig& config, double learning_rate, int64_t total_steps);

// Updates of warm-up: below 1 a share of all, rounded up.
int64_t warmup_updates(double warmup_steps, int64_t total_steps);

}  // namespace sft
