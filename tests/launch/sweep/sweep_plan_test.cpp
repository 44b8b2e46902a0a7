#include "launch/sweep/sweep_plan.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace sft {
namespace {

Table sweep_of(const char* method, const Table& parameters, int64_t num_trials = 0) {
  return {{"method", method}, {"num_trials", num_trials}, {"parameters", parameters}};
}

std::vector<std::string> names_of(const SweepPlan& plan) {
  std::vector<std::string> names;
  for (const Trial& trial : plan.trials) names.push_back(trial.name);
  return names;
}

std::string refusal_of(const Table& sweep) {
  try {
    plan_sweep(sweep, 1);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(SweepPlan, ATrialIsNamedByWhatItVariesWhereverItStands) {
  const auto first =
      names_of(plan_sweep(sweep_of("grid", {{"optim.learning_rate", {1e-5, 0.5}}, {"seed", {1, 2}}}), 1));
  EXPECT_EQ(first, (std::vector<std::string>{"optim.learning_rate=1e-05,seed=1", "optim.learning_rate=1e-05,seed=2",
                                             "optim.learning_rate=0.5,seed=1", "optim.learning_rate=0.5,seed=2"}));
  const auto edited = names_of(plan_sweep(sweep_of("grid", {{"optim.learning_rate", {9.0, 0.5}}, {"seed", {2}}}), 1));
  EXPECT_EQ(edited, (std::vector<std::string>{"optim.learning_rate=9.0,seed=2", "optim.learning_rate=0.5,seed=2"}));
}

TEST(SweepPlan, AValueIsTakenToItsLastDigit) {
  const SweepPlan plan = plan_sweep(sweep_of("grid", {{"optim.learning_rate", {1.23456789e-5, 1.23456788e-5}}}), 1);
  EXPECT_EQ(plan.trials.size(), 2u);
  EXPECT_EQ(plan.trials[0].overrides.front(), "optim.learning_rate=1.23456789e-05");
}

TEST(SweepPlan, SettingsThatAreNoFileNameAreHashed) {
  const Table parameters{{"model.model_name_or_path", {"models/a", "models-a", "models.a"}}};
  const auto names = names_of(plan_sweep(sweep_of("grid", parameters), 1));
  EXPECT_TRUE(names[0].starts_with("trial-")) << names[0];
  EXPECT_EQ(names[0].find('/'), std::string::npos);
  EXPECT_EQ(names[1], "model.model_name_or_path=models-a");
  const auto long_name =
      names_of(plan_sweep(sweep_of("grid", {{"model.model_name_or_path", {std::string(200, 'x')}}}), 1));
  EXPECT_EQ(long_name[0].size(), std::string("trial-").size() + 16);
}

TEST(SweepPlan, WhatIsDrawnOrListedTwiceIsOneTrial) {
  EXPECT_EQ(plan_sweep(sweep_of("list", {{"seed", {1, 2, 1}}}), 1).trials.size(), 2u);
  EXPECT_EQ(plan_sweep(sweep_of("random", {{"seed", {1, 2}}}, 20), 1).trials.size(), 2u);
}

TEST(SweepPlan, AKeyWithoutItsSectionIsTheKey) {
  const KeyNames dotted{{"global_batch_size", "train.global_batch_size"},
                        {"fold", "data.fold"},
                        {"metric_for_best_model", "eval.metric_for_best_model"}};
  const Table range{{"min", 4}, {"max", 32}};
  const SweepPlan plan =
      plan_sweep(sweep_of("random", {{"global_batch_size", range}}, 5), 1, {"train.global_batch_size"}, dotted);
  EXPECT_EQ(plan.parameters, std::vector<std::string>{"train.global_batch_size"});
  for (const Trial& trial : plan.trials)
    EXPECT_EQ(trial.name.find('.', sizeof "train."), std::string::npos) << trial.name;
  EXPECT_EQ(plan_sweep(sweep_of("grid", {{"fold", {"1/3", "2/3"}}}), 1, {}, dotted).parameters,
            std::vector<std::string>{"data.fold"});
  const Table measured = sweep_of("tpe", {{"metric_for_best_model", {"f1", "loss"}}}, 5);
  EXPECT_THROW(plan_sweep(measured, 1, {}, dotted), ConfigError);
  const Table twice = sweep_of("grid", {{"fold", {"1/3"}}, {"data.fold", {"2/3"}}});
  EXPECT_THROW(plan_sweep(twice, 1, {}, dotted), ConfigError);
}

TEST(SweepPlan, MisspeltKeysOfARangeAreRefusedWithTheKnownOnes) {
  const Table range{{"min", 1e-5}, {"max", 1e-2}, {"logs", true}};
  const std::string refusal = refusal_of(sweep_of("random", {{"optim.learning_rate", range}}, 3));
  EXPECT_NE(refusal.find("unknown key 'sweep.parameters.'optim.learning_rate'.logs'"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("there are: min, max, scale, log"), std::string::npos) << refusal;
  EXPECT_NE(refusal_of({{"methd", "grid"}}).find("did you mean 'method'"), std::string::npos);
}

TEST(SweepPlan, SettingsOfAnotherTypeAndTrialsWithoutEndAreRefused) {
  const Table seeds{{"seed", {1, 2}}};
  EXPECT_EQ(refusal_of({{"method", 5}, {"parameters", seeds}}), "sweep: method is 5; wanted: string");
  EXPECT_EQ(refusal_of({{"method", "random"}, {"num_trials", "9"}, {"parameters", seeds}}),
            "sweep: num_trials is \"9\"; wanted: number");
  EXPECT_EQ(refusal_of(sweep_of("random", {{"seed", {{"min", 1}, {"max", 2}, {"scale", 3}}}}, 3)),
            "sweep.parameters.'seed': scale is 3; wanted: string");
  EXPECT_NE(refusal_of(sweep_of("random", seeds, int64_t{1} << 60)).find("more than 10000 trials"), std::string::npos);
  Table many;
  for (int i = 0; i < 70; ++i) many["k" + std::to_string(i)] = {1, 2};
  EXPECT_NE(refusal_of(sweep_of("grid", many)).find("more than 10000 trials"), std::string::npos);
}

TEST(SweepPlan, WhatASweepSettlesIsNotVaried) {
  EXPECT_EQ(refusal_of(sweep_of("grid", {{"output_dir", {"a", "b"}}})),
            "sweep.parameters.'output_dir': a sweep settles it for each trial; remove it");
  EXPECT_EQ(refusal_of(sweep_of("grid", {{"overwrite_output_dir", {true, false}}})),
            "sweep.parameters.'overwrite_output_dir': it is the same for all trials; set it outside of [sweep]");
  EXPECT_EQ(refusal_of(sweep_of("grid", {{"sweep.method", {"grid"}}})),
            "sweep.parameters.'sweep.method': a trial has no sweep of its own");
}

TEST(SweepPlan, WhatASearchCannotCompareIsRefused) {
  const Table rates{{"optim.learning_rate", {{"min", 1e-5}, {"max", 1e-2}}}};
  EXPECT_EQ(refusal_of(sweep_of("tpe", rates)), "sweep.num_trials: method 'tpe' needs a number of trials");
  EXPECT_NE(refusal_of(sweep_of("tpe", {{"seed", {1, 2}}}, 3)).find("a lucky seed"), std::string::npos);
  Table pruned = sweep_of("grid", {{"eval.eval_steps", {1, 2}}});
  EXPECT_EQ(refusal_of(pruned), "");
  pruned["pruning"] = Table::object();
  EXPECT_NE(refusal_of(pruned).find("measured alike"), std::string::npos);
  pruned["pruning"] = {{"reduction_factor", 1}};
  EXPECT_EQ(refusal_of(pruned), "sweep.pruning.reduction_factor is 1; wanted: 2 or more");
}

TEST(SweepPlan, LogIsAnotherSpellingOfTheScale) {
  const auto drawn = [](const Table& range) {
    return names_of(plan_sweep(sweep_of("random", {{"optim.learning_rate", range}}, 5), 3));
  };
  EXPECT_EQ(drawn({{"min", 1e-5}, {"max", 1e-2}, {"log", true}}),
            drawn({{"min", 1e-5}, {"max", 1e-2}, {"scale", "log"}}));
  EXPECT_NE(refusal_of(sweep_of("random", {{"seed", {{"min", 1}, {"max", 2}, {"log", true}, {"scale", "linear"}}}}, 3))
                .find("contradict"),
            std::string::npos);
}

TEST(SweepPlan, DrawsOfALogScaleStayInTheirRange) {
  const Table range{{"min", 1e-5}, {"max", 1e-2}, {"scale", "log"}};
  int small = 0;
  for (const Trial& trial : plan_sweep(sweep_of("random", {{"optim.learning_rate", range}}, 100), 7).trials) {
    const double rate = std::stod(trial.overrides.front().substr(trial.overrides.front().find('=') + 1));
    EXPECT_GE(rate, 1e-5);
    EXPECT_LE(rate, 1e-2);
    small += rate < 1e-3 ? 1 : 0;
  }
  EXPECT_NEAR(small, 67, 15);
}

}  // namespace
}  // namespace sft
