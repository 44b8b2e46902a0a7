#include "launch/sweep/sweep_results.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "launch/sweep/sweep_table.h"
#include "tests/base/temporary_directory.h"

namespace sft {
namespace {

using nlohmann::json;

class Results : public testing::Test {
 protected:
  void leave(const Trial& trial, double accuracy, bool greater = true, const std::string& metric = "eval_accuracy") {
    std::filesystem::create_directories(directory_.path(trial.name));
    directory_.file(trial.name + "/summary.json", json{{"exit_reason", "finished"},
                                                       {"global_step", 5},
                                                       {"best_metric", accuracy},
                                                       {"metric_for_best_model", metric},
                                                       {"greater_is_better", greater},
                                                       {"metrics", {{"accuracy", accuracy}, {"samples", 9}}}}
                                                      .dump());
  }

  SweepResults results(const std::vector<ExitCode>& codes) { return {plan_, codes, directory_.path()}; }

  TemporaryDirectory directory_;
  SweepPlan plan_ =
      plan_sweep({{"method", "grid"}, {"parameters", {{"optim.learning_rate", {0.1, 0.2}}, {"seed", {1, 2, 3}}}}}, 1);
  std::vector<ExitCode> done_ = std::vector<ExitCode>(6, ExitCode::done);
};

TEST_F(Results, RankTheBestFirstAndThoseWithoutANumberLast) {
  for (const size_t i : {0u, 1u, 3u, 4u}) leave(plan_.trials[i], std::vector{0.5, 0.25, 0.0, 0.75, 0.5}[i]);
  std::vector<ExitCode> codes = done_;
  codes[4] = ExitCode::config;  // the numbers in its directory are of other settings
  const SweepResults told = results(codes);
  EXPECT_EQ(told.metric(), "eval_accuracy");
  EXPECT_EQ(told.ranking(), (std::vector<size_t>{3, 0, 1, 2, 4, 5}));
  EXPECT_EQ(told.trials()[4].facts["exit_reason"], "exit code 78");
  EXPECT_EQ(told.trials()[2].facts["exit_reason"], "not finished");
  const std::string text = text_of(told);
  EXPECT_LT(text.find("learning_rate=0.2,seed=1"), text.find("learning_rate=0.1,seed=1"));
}

TEST_F(Results, RankTheSmallestFirstWhereLessIsBetterAndNoneByTwoMetrics) {
  for (size_t i = 0; i < 6; ++i) leave(plan_.trials[i], 6.0 - static_cast<double>(i), false, "eval_loss");
  EXPECT_EQ(results(done_).ranking(), (std::vector<size_t>{5, 4, 3, 2, 1, 0}));
  leave(plan_.trials[2], 1.0, true, "eval_f1");
  EXPECT_EQ(results(done_).metric(), "");
  EXPECT_EQ(results(done_).ranking(), (std::vector<size_t>{0, 1, 2, 3, 4, 5}));
}

TEST_F(Results, OfAPrunedTrialAreToldWithoutANumber) {
  for (const size_t i : {0u, 1u}) leave(plan_.trials[i], 0.5);
  directory_.file(plan_.trials[1].name + "/summary.json", json{{"exit_reason", "pruned"},
                                                               {"global_step", 5},
                                                               {"total_steps", 20},
                                                               {"best_metric", 0.75},
                                                               {"metric_for_best_model", "eval_accuracy"},
                                                               {"greater_is_better", true},
                                                               {"metrics", {{"accuracy", 0.75}}}}
                                                              .dump());
  const SweepResults told = results(done_);
  EXPECT_EQ(told.ranking().front(), 0U);
  EXPECT_EQ(told.trials()[1].facts, (json{{"exit_reason", "pruned at step 5 of 20"}}));
  EXPECT_TRUE(told.spreads().empty());
  EXPECT_EQ(csv_of(told).find("0.75"), std::string::npos);
}

// As Python's statistics.stdev.
TEST_F(Results, TellMeanAndDeviationOverSeeds) {
  const std::vector<double> accuracies{0.5, 0.25, 0.75, 0.5, 1.0};
  for (size_t i = 0; i < 5; ++i) leave(plan_.trials[i], accuracies[i]);
  const std::vector<Spread> spreads = results(done_).spreads();
  ASSERT_EQ(spreads.size(), 2U);
  EXPECT_EQ(spreads[0].values, std::vector<std::string>{"0.1"});
  EXPECT_EQ(spreads[0].runs, 3);
  EXPECT_EQ(spreads[1].runs, 2);  // the third was not trained
  const auto of = [](const Spread& spread) { return spread.metrics.back(); };
  EXPECT_EQ(of(spreads[0]).name, "eval_accuracy");
  EXPECT_DOUBLE_EQ(of(spreads[0]).mean, 0.5);
  EXPECT_DOUBLE_EQ(of(spreads[0]).deviation, 0.25);
  EXPECT_DOUBLE_EQ(of(spreads[1]).deviation, 0.35355339059327379);
  EXPECT_NE(text_of(results(done_)).find("0.5 ± 0.25"), std::string::npos);
}

TEST_F(Results, GoIntoATableWithEveryMetricInTheOrderOfThePlan) {
  leave(plan_.trials[1], 0.125);
  const std::string table = csv_of(results(done_));
  EXPECT_EQ(table.substr(0, table.find('\n')),
            "trial,optim.learning_rate,seed,exit_reason,global_step,best_metric,eval_accuracy");
  EXPECT_NE(table.find("\"optim.learning_rate=0.1,seed=2\",0.1,2,finished,5,0.125,0.125\n"), std::string::npos)
      << table;
}

}  // namespace
}  // namespace sft
