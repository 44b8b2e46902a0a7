#include "launch/sweep/sweep_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/base/temporary_directory.h"

namespace sft {
namespace {

using nlohmann::json;

Table search(int64_t num_trials, int64_t trials_per_round = 1, const Table& pruning = nullptr) {
  Table sweep{{"method", "tpe"},
              {"num_trials", num_trials},
              {"num_startup_trials", 4},
              {"trials_per_round", trials_per_round},
              {"parameters",
               {{"optim.learning_rate", {{"min", 1e-5}, {"max", 1e-1}, {"log", true}}},
                {"train.global_batch_size", {{"min", 4}, {"max", 32}}},
                {"train.loss", {"cross_entropy", "focal"}}}}};
  if (!pruning.is_null()) sweep["pruning"] = pruning;
  return sweep;
}

SweepPlan plan_of(const Table& sweep) { return plan_sweep(sweep, 1, {"train.global_batch_size"}); }

// Trains in place of the program: the score of an evaluation follows from the settings, and rises.
class Folder : public testing::Test {
 protected:
  static double score(const Trial& trial, int64_t evaluation) {
    const auto value = [&](size_t i) { return trial.overrides[i].substr(trial.overrides[i].find('=') + 1); };
    const double rate = std::log10(std::stod(value(0))) + 3, batch = std::stod(value(1)) / 32;
    return 1 - 0.05 * rate * rate - 0.1 * batch - (value(2) == "\"focal\"" ? 0.1 : 0) -
           0.2 / static_cast<double>(evaluation);
  }

  void train(const Trial& trial, const Cutoffs& cutoffs) {
    std::string log;
    int64_t made = 0;
    bool pruned = false;
    while (made < 9 && !pruned) {
      const double value = score(trial, ++made);
      log += json{{"step", made}, {"eval_accuracy", value}}.dump() + "\n";
      pruned = made < 9 && cutoffs.contains(made) && value < cutoffs.at(made);
    }
    const json summary{{"exit_reason", pruned ? "pruned" : "finished"},
                       {"best_metric", score(trial, made)},
                       {"metric_for_best_model", "eval_accuracy"},
                       {"greater_is_better", true}};
    directory_.file(trial.name + "/metrics.jsonl", log);
    directory_.file(trial.name + "/summary.json", summary.dump());
    trained_ += made;
  }

  Trial run(const SweepPlan& plan, size_t number) {
    const SweepFolder folder(directory_.path(), plan);
    const Trial trial = folder.trial(number).value();
    folder.begin(number, trial);
    train(trial, folder.cutoffs(number));
    folder.end(number, trial, ExitCode::done);
    return trial;
  }

  std::vector<std::string> run_all(const SweepPlan& plan, const std::vector<size_t>& order) {
    std::vector<std::string> names(order.size());
    for (const size_t i : order) names[i] = run(plan, i).name;
    return names;
  }

  std::string refusal_of(const SweepPlan& plan, size_t number) {
    try {
      SweepFolder(directory_.path(), plan).trial(number);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  void begin_anew() {
    std::filesystem::remove_all(directory_.path());
    std::filesystem::create_directory(directory_.path());
  }

  TemporaryDirectory directory_;
  int64_t trained_ = 0;
};

TEST_F(Folder, GivesAnArrayTheProposalsAndPruningsOfOneProcess) {
  const SweepPlan plan = plan_of(search(12, 3, {{"reduction_factor", 3}}));
  const auto names = run_all(plan, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const int64_t evaluations = trained_;
  EXPECT_LT(evaluations, 12 * 9) << "nothing was pruned";
  begin_anew();
  EXPECT_EQ(run_all(plan, {2, 0, 1, 4, 5, 3, 8, 7, 6, 9, 11, 10}), names);
  EXPECT_EQ(trained_, 2 * evaluations);
}

TEST_F(Folder, KeepsWhatWasProposedAndGoesOnWithMoreTrials) {
  const auto names = run_all(plan_of(search(6)), {0, 1, 2, 3, 4, 5});
  directory_.file(names[4] + "/summary.json", "{}");  // a trial that was begun again
  const SweepPlan more = plan_of(search(8));
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(SweepFolder(directory_.path(), more).trial(i)->name, names[i]);
  EXPECT_NE(refusal_of(more, 6).find("run it again: --index 4"), std::string::npos) << refusal_of(more, 6);
  run(more, 4);
  const std::string seventh = SweepFolder(directory_.path(), more).trial(6)->name;
  EXPECT_EQ(std::ranges::find(names, seventh), names.end());
}

TEST_F(Folder, NeedsTheTrialsOfEarlierRoundsAlone) {
  const SweepPlan plan = plan_of(search(9, 3));
  for (const size_t i : {0u, 1u, 2u, 3u}) run(plan, i);
  EXPECT_EQ(refusal_of(plan, 5), "");
  EXPECT_NE(refusal_of(plan, 6).find("trial 4 ("), std::string::npos) << refusal_of(plan, 6);
  EXPECT_NE(refusal_of(plan, 6).find("run it first: --index 4"), std::string::npos);
}

TEST_F(Folder, OfAnotherTableIsRefused) {
  run(plan_of(search(6)), 0);
  Table other = search(6);
  other["parameters"]["optim.learning_rate"]["max"] = 1;
  EXPECT_NE(refusal_of(plan_of(other), 0).find("holds trials of another [sweep] table"), std::string::npos);
}

TEST_F(Folder, OfAnotherListIsRefusedWhereItsEndsAreTheSame) {
  Table sweep = search(6);
  sweep["parameters"]["train.global_batch_size"] = {16, 32, 64};
  run(plan_of(sweep), 0);
  EXPECT_EQ(refusal_of(plan_of(sweep), 0), "");
  sweep["parameters"]["train.global_batch_size"] = {16, 48, 64};
  EXPECT_NE(refusal_of(plan_of(sweep), 0).find("holds trials of another [sweep] table"), std::string::npos);
}

TEST_F(Folder, KnowsWhatWasPruned) {
  const SweepPlan plan = plan_of(search(12, 3, {{"reduction_factor", 3}}));
  const SweepFolder folder(directory_.path(), plan);
  int pruned = 0;
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_FALSE(folder.is_pruned(i, folder.trial(i).value()));
    const int64_t before = trained_;
    const Trial trial = run(plan, i);
    EXPECT_EQ(folder.is_pruned(i, trial), trained_ - before < 9) << i;
    if (!folder.is_pruned(i, trial)) continue;
    ++pruned;
    EXPECT_FALSE(SweepFolder(directory_.path(), plan_of(search(12, 3))).is_pruned(i, trial)) << "without pruning";
    folder.end(i, trial, ExitCode::config);
    EXPECT_FALSE(folder.is_pruned(i, trial)) << "it failed";
    folder.end(i, trial, ExitCode::done);
  }
  EXPECT_GT(pruned, 0);
}

std::string measure_refusal(const SweepFolder& folder) {
  try {
    folder.require_one_measure();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST_F(Folder, GoesOnByTheMetricOfItsTrialsAlone) {
  SweepPlan plan = plan_of(search(6));
  run(plan, 0);  // eval_accuracy, more is better
  EXPECT_EQ(measure_refusal(SweepFolder(directory_.path(), plan)), "");
  plan.asked.metric = "accuracy";
  EXPECT_EQ(measure_refusal(SweepFolder(directory_.path(), plan)), "");
  for (const AskedMeasure& other : {AskedMeasure{"f1", {}}, AskedMeasure{"eval_loss", {}}, AskedMeasure{"", false}}) {
    plan.asked = other;
    const std::string told = measure_refusal(SweepFolder(directory_.path(), plan));
    EXPECT_NE(told.find("was compared by eval_accuracy (more is better)"), std::string::npos) << told;
    EXPECT_NE(told.find(other.metric == "f1"          ? "by eval_f1"
                        : other.metric == "eval_loss" ? "by eval_loss"
                                                      : "by eval_accuracy (less is better)"),
              std::string::npos)
        << told;
    EXPECT_NE(told.find("set eval.metric_for_best_model = \"accuracy\" and eval.greater_is_better = true"),
              std::string::npos)
        << told;
  }
}

TEST_F(Folder, DoesNotGoOnByWhatTheTaskHasWhereItsTrialsWereAskedForAMetric) {
  SweepPlan plan = plan_of(search(6));
  plan.asked.metric = "accuracy";
  run(plan, 0);
  plan.asked = {};
  EXPECT_NE(measure_refusal(SweepFolder(directory_.path(), plan)).find("no eval.metric_for_best_model is set"),
            std::string::npos);
}

TEST_F(Folder, OfTrialsByTwoMetricsIsRefused) {
  const SweepPlan plan = plan_of(search(6));
  run(plan, 0);
  const Trial second = run(plan, 1);
  directory_.file(second.name + "/summary.json", json{{"exit_reason", "finished"},
                                                      {"best_metric", 1.5},
                                                      {"metric_for_best_model", "eval_loss"},
                                                      {"greater_is_better", false}}
                                                     .dump());
  const std::string told = measure_refusal(SweepFolder(directory_.path(), plan));
  EXPECT_NE(told.find("eval_loss (less is better), and trials before it by eval_accuracy (more is better)"),
            std::string::npos)
      << told;
}

TEST(Settles, WhatTheSettingsEndAndNotWhatTheMachineDoes) {
  for (const int code : {0, 78, 79, 80, 82}) EXPECT_TRUE(settles(static_cast<ExitCode>(code))) << code;
  for (const int code : {69, 70, 75, 76, 77, 81, 93}) EXPECT_FALSE(settles(static_cast<ExitCode>(code))) << code;
}

TEST_F(Folder, LearnsFromTrialsThatFailed) {
  const SweepPlan plan = plan_of(search(5));
  const SweepFolder folder(directory_.path(), plan);
  for (size_t i = 0; i < 4; ++i) {
    const Trial trial = folder.trial(i).value();
    folder.begin(i, trial);
    if (i == 3) folder.end(i, trial, ExitCode::hang);  // of the machine: it did not end
    if (i < 3) folder.end(i, trial, ExitCode::not_finite);
  }
  EXPECT_NE(refusal_of(plan, 4).find("--index 3"), std::string::npos);
  folder.end(3, folder.trial(3).value(), ExitCode::not_finite);
  EXPECT_TRUE(folder.trial(4).has_value());
}

TEST_F(Folder, EndsWhereEverySettingWasTried) {
  Table sweep = search(5);
  sweep["parameters"] = {{"train.loss", {"cross_entropy", "focal", "gce"}}};
  const SweepFolder folder(directory_.path(), plan_of(sweep));
  std::vector<std::string> names;
  for (size_t i = 0; i < 3; ++i) names.push_back(folder.trial(i)->name);
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"train.loss=cross_entropy", "train.loss=focal", "train.loss=gce"}));
  EXPECT_FALSE(folder.trial(3).has_value());
}

TEST_F(Folder, DrawsWholeNumbersWithBothEndsForKeysThatTakeThem) {
  Table sweep = search(40);
  sweep["num_startup_trials"] = 40;
  sweep["parameters"] = {{"train.global_batch_size", {{"min", 1}, {"max", 4}}},
                         {"optim.weight_decay", {{"min", 0}, {"max", 1}}}};
  const SweepFolder folder(directory_.path(), plan_of(sweep));
  std::set<std::string> batches;
  for (size_t i = 0; i < 40; ++i) batches.insert(folder.trial(i)->overrides[1]);
  EXPECT_EQ(batches, (std::set<std::string>{"train.global_batch_size=1", "train.global_batch_size=2",
                                            "train.global_batch_size=3", "train.global_batch_size=4"}));
}

}  // namespace
}  // namespace sft
