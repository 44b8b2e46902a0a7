// What is wrong with a loss is found before it trains.
#include "trainer/plugins/loss_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

#include "base/errors.h"

namespace sft {
namespace {

// A loss of each output alone, Σ over k of f(x_k, t_k), where t_k is 1 at the label or the target itself.
class Separate final : public plugin::Loss {
 public:
  using Function = std::function<double(double x, double t)>;
  Separate(Function loss, Function slope) : loss_(std::move(loss)), slope_(std::move(slope)) {}
  double value(const plugin::Row& row, double* gradient) const override {
    double sum = 0;
    for (int64_t k = 0; k < row.num_outputs; ++k) {
      const double target = row.targets != nullptr ? row.targets[k] : k == row.label ? 1 : 0;
      sum += loss_(row.logits[k], target);
      gradient[k] = slope_(row.logits[k], target);
    }
    return sum;
  }

 private:
  Function loss_, slope_;
};

const Separate kSquares([](double x, double t) { return (x - t) * (x - t); },
                        [](double x, double t) { return 2 * (x - t); });
const Separate kAbsolute([](double x, double t) { return std::abs(x - t); },
                         [](double x, double t) { return x > t ? 1.0 : -1.0; });

class Function final : public plugin::Loss {
 public:
  using Body = std::function<double(const plugin::Row& row, double* gradient)>;
  explicit Function(Body body) : body_(std::move(body)) {}
  double value(const plugin::Row& row, double* gradient) const override { return body_(row, gradient); }

 private:
  Body body_;
};

std::string told_of(const plugin::Loss& loss, RowTargets targets = RowTargets::label, int64_t outputs = 4) {
  try {
    require_sound({"mine", "./libmine.so", &loss}, targets, outputs);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(LossCheck, TakesRightGradientsOfAllTargets) {
  for (const RowTargets targets : {RowTargets::label, RowTargets::label_set, RowTargets::numbers})
    for (const int64_t outputs : {1, 2, 5, 300, 20'000}) {
      EXPECT_EQ(told_of(kSquares, targets, outputs), "");
      EXPECT_EQ(told_of(kAbsolute, targets, outputs), "") << "kinks are no mistakes";
    }
}

TEST(LossCheck, FindsAGradientThatIsOffByMillionths) {
  const Separate off([](double x, double t) { return (x - t) * (x - t); },
                     [](double x, double t) { return 2.00001 * (x - t); });
  const std::string told = told_of(off);
  EXPECT_NE(told.find("'mine' of './libmine.so': gradient["), told.npos) << told;
  EXPECT_NE(told.find("by differences in float64 it is "), told.npos) << told;
}

TEST(LossCheck, FindsAGradientThatIsLeftOut) {
  const Function some([](const plugin::Row& row, double* gradient) {
    gradient[row.label] = 2 * row.logits[row.label];
    return row.logits[row.label] * row.logits[row.label];
  });
  EXPECT_NE(told_of(some).find("or was not written"), std::string::npos) << told_of(some);
  EXPECT_EQ(told_of(some, RowTargets::label, 1), "");
}

TEST(LossCheck, FindsALossThatOtherRowsMove) {
  double seen = 0;
  const Function remembers([&](const plugin::Row& row, double* gradient) {
    for (int64_t k = 0; k < row.num_outputs; ++k) gradient[k] = 2 * row.logits[k];
    double sum = seen;
    for (int64_t k = 0; k < row.num_outputs; ++k) sum += row.logits[k] * row.logits[k];
    seen += 1e-13;  // too little to be seen in a difference
    return sum;
  });
  const std::string told = told_of(remembers);
  EXPECT_NE(told.find("when asked again behind other rows"), told.npos) << told;
}

TEST(LossCheck, TellsWhatIsThrownAndWhatIsNotFinite) {
  const Function throws([](const plugin::Row&, double*) -> double { throw std::out_of_range("no such cost"); });
  EXPECT_NE(told_of(throws).find("'mine' of './libmine.so': failed: no such cost"), std::string::npos);
  const Function rude([](const plugin::Row&, double*) -> double { throw 7; });
  EXPECT_NE(told_of(rude).find("no std::exception"), std::string::npos);
  const Function infinite([](const plugin::Row&, double*) { return std::numeric_limits<double>::infinity(); });
  EXPECT_NE(told_of(infinite).find("it is inf"), std::string::npos);
}

}  // namespace
}  // namespace sft
