// Rates against transformers.get_scheduler and torch.optim.lr_scheduler: reference.json, written by reference.py.
#include "trainer/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace sft {
namespace {

nlohmann::json reference() { return nlohmann::json::parse(std::ifstream(REFERENCE)); }

std::unique_ptr<Schedule> schedule_of(const std::string& type, double warmup, double floor, double peak,
                                      int64_t total) {
  SchedulerConfig config;
  config.lr_scheduler_type = type;
  config.warmup_steps = warmup;
  config.min_lr_ratio = floor;
  return make_schedule(config, peak, total);
}

// Shown to fail: with the warm-up one update longer, and with StepLR's tread rounded down.
TEST(Schedule, GivesTheRatesOfTransformersAndTorch) {
  const auto expected = reference();
  const double peak = expected["peak"];
  ASSERT_GT(expected["schedules"].size(), 20u);
  for (const auto& wanted : expected["schedules"]) {
    const auto schedule = schedule_of(wanted["type"], wanted["warmup"], wanted["floor"], peak, wanted["total"]);
    const auto rates = wanted["rates"].get<std::vector<double>>();
    for (size_t step = 0; step < rates.size(); ++step) {
      EXPECT_NEAR(schedule->rate(static_cast<int64_t>(step)), rates[step], 1e-12 * peak)
          << wanted["type"] << ", warm-up " << wanted["warmup"] << " of " << wanted["total"] << ", update " << step;
    }
  }
}

TEST(Schedule, TakesAWarmUpBelowOneAsAShareOfAllUpdatesRoundedUp) {
  EXPECT_EQ(warmup_updates(0.06, 1000), 60);
  EXPECT_EQ(warmup_updates(0.1, 101), 11);
  EXPECT_EQ(warmup_updates(0.0, 101), 0);
  EXPECT_EQ(warmup_updates(1.0, 101), 1);
  EXPECT_EQ(warmup_updates(50, 101), 50);
  EXPECT_DOUBLE_EQ(schedule_of("linear", 0.1, 0.0, 1.0, 100)->rate(5), 0.5);
}

TEST(Schedule, NeverFallsBelowItsFloorAfterTheWarmUp) {
  for (const char* type : {"linear", "cosine", "cosine_with_restarts", "constant", "constant_with_warmup", "polynomial",
                           "inverse_sqrt", "step", "exponential", "one_cycle"}) {
    const auto schedule = schedule_of(type, 3, 0.2, 1.0, 400);
    for (int64_t step = 3; step < 400; ++step) ASSERT_GE(schedule->rate(step), 0.2 - 1e-15) << type << " at " << step;
  }
}

TEST(Schedule, StaysFiniteOnTheShortestRuns) {
  for (const char* type : {"linear", "cosine", "cosine_with_restarts", "constant", "constant_with_warmup", "polynomial",
                           "inverse_sqrt", "step", "exponential", "one_cycle", "reduce_lr_on_plateau"}) {
    for (const int64_t total : {1, 2, 3, 4}) {
      for (const double warmup : {0.0, 0.5, 1.0, 9.0}) {
        const auto schedule = schedule_of(type, warmup, 0.0, 1.0, total);
        for (int64_t step = 0; step < total; ++step) {
          const double rate = schedule->rate(step);
          ASSERT_TRUE(rate >= 0.0 && rate <= 1.0) << type << " at " << step << " of " << total << ": " << rate;
        }
      }
    }
  }
}

TEST(Schedule, RefusesAnUnknownTypeByName) {
  try {
    schedule_of("lineal", 0, 0, 1.0, 10);
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("'lineal'"), std::string::npos) << error.what();
  }
}

TEST(Plateau, CutsTheRateWhenTorchDoes) {
  const auto expected = reference();
  for (const auto& course : expected["plateau"]) {
    const auto schedule = schedule_of("reduce_lr_on_plateau", 0, 0.0, expected["peak"], 1000);
    for (size_t i = 0; i < course["metrics"].size(); ++i) {
      const auto& metric = course["metrics"][i];  // null is a NaN
      schedule->observe(metric.is_null() ? std::numeric_limits<double>::quiet_NaN() : metric.get<double>(),
                        course["greater_is_better"]);
      ASSERT_NEAR(schedule->rate(100), course["rates"][i].get<double>(), 1e-18) << "evaluation " << i;
    }
  }
}

TEST(Plateau, ComparesWithNothingOfBeforeOnceItForgets) {
  const auto schedule = schedule_of("reduce_lr_on_plateau", 0, 0.0, 1.0, 1000);
  schedule->observe(0.01, false);
  for (int i = 0; i < 11; ++i) schedule->observe(0.5, false);
  ASSERT_DOUBLE_EQ(schedule->rate(50), 0.1);
  for (int i = 0; i < 10; ++i) schedule->observe(0.5, false);
  schedule->forget_best();  // accuracies from now on
  EXPECT_DOUBLE_EQ(schedule->rate(50), 0.1);
  for (int i = 0; i < 11; ++i) schedule->observe(0.001, true);
  EXPECT_DOUBLE_EQ(schedule->rate(50), 0.1) << "the first is the best, and ten that are none may follow it";
  schedule->observe(0.001, true);
  EXPECT_DOUBLE_EQ(schedule->rate(50), 0.01);
}

TEST(Plateau, GoesOnFromItsStateAsIfNeverStopped) {
  const auto straight = schedule_of("reduce_lr_on_plateau", 10, 0.05, 1.0, 1000);
  auto resumed = schedule_of("reduce_lr_on_plateau", 10, 0.05, 1.0, 1000);
  for (int i = 0; i < 60; ++i) {
    const double metric = i < 5 ? 1.0 - 0.1 * i : 0.7;
    straight->observe(metric, false);
    resumed->observe(metric, false);
    auto next = schedule_of("reduce_lr_on_plateau", 10, 0.05, 1.0, 1000);
    next->restore(resumed->state());
    resumed = std::move(next);
    ASSERT_EQ(resumed->rate(50), straight->rate(50)) << "evaluation " << i;
  }
  EXPECT_DOUBLE_EQ(straight->rate(50), 0.05);
  EXPECT_DOUBLE_EQ(straight->rate(5), 0.025);
  EXPECT_THROW(resumed->restore("{}"), DataError);
  EXPECT_THROW(resumed->restore("nonsense"), DataError);
}

}  // namespace
}  // namespace sft
