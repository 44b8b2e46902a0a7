// The list of schedules: a curve of the update number, or the one that listens to evaluations.
#include "trainer/optim/schedule.h"

#include <cmath>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/optim/curves.h"
#include "trainer/optim/plateau.h"

namespace sft {
namespace {

class Curved final : public Schedule {
 public:
  Curved(Curve curve, const CurveSettings& settings) : curve_(curve), settings_(settings) {}
  double rate(int64_t step) const override { return settings_.peak * curve_(settings_, step); }

 private:
  Curve curve_;
  CurveSettings settings_;
};

}  // namespace

void Schedule::observe(double, bool) {}
std::string Schedule::state() const { return ""; }
void Schedule::restore(const std::string&) {}
void Schedule::forget_best() {}

int64_t warmup_updates(double warmup_steps, int64_t total_steps) {
  if (warmup_steps >= 1.0) return static_cast<int64_t>(warmup_steps);
  return static_cast<int64_t>(std::ceil(warmup_steps * static_cast<double>(total_steps)));
}

std::unique_ptr<Schedule> make_schedule(const SchedulerConfig& config, double learning_rate, int64_t total_steps) {
  const CurveSettings settings{.warmup = warmup_updates(config.warmup_steps, total_steps),
                               .total = total_steps,
                               .floor = config.min_lr_ratio,
                               .peak = learning_rate};
  if (config.lr_scheduler_type == "reduce_lr_on_plateau") return std::make_unique<Plateau>(settings);
  if (const Curve curve = find_curve(config.lr_scheduler_type)) return std::make_unique<Curved>(curve, settings);

  throw ConfigError(concat("scheduler.lr_scheduler_type: wanted one of ", join(curve_names(), ", "),
                           ", reduce_lr_on_plateau; found ", in_quotes(config.lr_scheduler_type)));
}

}  // namespace sft
