#include "trainer/range_test/range_test.h"

#include <cmath>

#include "comm/agree.h"
#include "trainer/assembly/trainer_settings.h"

namespace sft {
namespace {

class Ramp final : public Schedule {
 public:
  explicit Ramp(const RangeTest& test) : test_(test) {}
  double rate(int64_t step) const override { return test_.rate(step); }

 private:
  RangeTest test_;
};

// Agreed, though all see the same loss: a signal may have reached one rank alone.
RangeEnd agree(Communicator& control, bool diverged, bool stops) {
  const auto wish = static_cast<int64_t>(stops      ? RangeEnd::stopped
                                         : diverged ? RangeEnd::diverged
                                                    : RangeEnd::all_steps);
  return static_cast<RangeEnd>(max(control, wish));
}

}  // namespace

double RangeTest::rate(int64_t step) const {
  return min_rate * std::pow(max_rate / min_rate, static_cast<double>(step) / static_cast<double>(steps - 1));
}

RangeEnd run_range_test(const RangeTest& test, Assembly& run, RateCurve& curve,
                        const std::function<void(const RateCurve&)>& seen) {
  Communicator& control = run.world.control;
  Ramp ramp(test);
  Trainer trainer(parts_of(run, ramp), trainer_settings(run));
  RangeEnd end = RangeEnd::all_steps;
  for (int64_t step = 0; step < test.steps && end == RangeEnd::all_steps; ++step) {
    const StepReport report = trainer.step();
    const double penalty = report.penalty.defined() ? report.penalty.item<double>() : 0;
    const double loss = sum(control, report.loss_sum.item<double>()) / report.weight + penalty;
    if (report.weight > 0) curve.add(report.rate, std::isfinite(report.norm.item<double>()) ? loss : std::nan(""));
    if (seen) seen(curve);
    end = agree(control, curve.diverged(), run.world.stop_requested && run.world.stop_requested());
  }
  return end;
}

}  // namespace sft
