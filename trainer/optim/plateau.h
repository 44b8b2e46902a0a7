// Cuts the rate when the watched metric has stopped improving: torch.optim.lr_scheduler.ReduceLROnPlateau with
// its defaults (factor 0.1, patience 10 evaluations, relative threshold 1e-4), after a warm-up where one is asked for.
#pragma once

#include <limits>
#include <optional>

#include "trainer/optim/curves.h"
#include "trainer/optim/schedule.h"

namespace sft {

class Plateau final : public Schedule {
 public:
  explicit Plateau(const CurveSettings& settings);

  double rate(int64_t step) const override;
  void observe(double metric, bool greater_is_better) override;
  std::string state() const override;
  void restore(const std::string& state) override;
  void forget_best() override;

 private:
  CurveSettings settings_;
  double rate_;  // after the warm-up
  std::optional<double> best_;
  int64_t bad_evaluations_ = 0;  // in a row
};

}  // namespace sft
