// Losses for noisy labels against autograd of their formulas: reference.json, written by reference.py.
#include "trainer/tasks/blocks/robust_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "trainer/tasks/blocks/label_loss.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

at::Tensor doubles_of(const nlohmann::json& values) {
  return at::tensor(values.get<std::vector<double>>(), at::kDouble);
}

LossConfig config_of(const nlohmann::json& wanted) {
  LossConfig config;
  config.kind = wanted["loss"];
  config.gce_q = wanted.value("gce_q", config.gce_q);
  config.sce_alpha = wanted.value("sce_alpha", config.sce_alpha);
  config.sce_beta = wanted.value("sce_beta", config.sce_beta);
  config.bootstrap_beta = wanted.value("bootstrap_beta", config.bootstrap_beta);
  return config;
}

TEST(RobustLoss, IsItsPapersFormulaWithAutogradsGradient) {
  const auto all = nlohmann::json::parse(std::ifstream(REFERENCE));
  const at::Tensor labels = at::tensor(all["labels"].get<std::vector<int64_t>>(), at::kLong);
  ASSERT_EQ(all["robust"].size(), 21u);
  for (const auto& wanted : all["robust"]) {
    const at::Tensor logits = (at::sin(at::arange(28, at::kDouble) * 1.3) * 3).view({7, 4}).set_requires_grad(true);
    const at::Tensor sum = robust_sum(logits, labels, doubles_of(wanted["class_weights"]),
                                      doubles_of(all["sample_weights"]), robust_loss(config_of(wanted)));
    sum.backward();
    EXPECT_NEAR(sum.item<double>(), wanted["sum"].get<double>(), 1e-12) << wanted;
    EXPECT_LT((logits.grad().flatten() - doubles_of(wanted["gradient"])).abs().max().item<double>(), 1e-12) << wanted;
  }
}

TEST(RobustLoss, IsFiniteHoweverWrongTheModelIs) {
  for (const auto type : {at::kFloat, at::kDouble})
    for (const char* kind : {"gce", "sce", "bootstrap"}) {
      at::Tensor logits = at::zeros({2, 3}, type);
      logits[0][1] = 1000, logits[1][2] = 1000;
      logits.set_requires_grad(true);
      const at::Tensor sum = robust_sum(logits, at::tensor(std::vector<int64_t>{1, 1}, at::kLong), at::ones({3}, type),
                                        at::ones({2}, type), robust_loss(config_of({{"loss", kind}, {"gce_q", 0.01}})));
      sum.backward();
      EXPECT_TRUE(sum.isfinite().item<bool>()) << kind;
      EXPECT_TRUE(logits.grad().isfinite().all().item<bool>()) << kind << ": " << logits.grad();
    }
}

TEST(RobustLoss, IsOfNoRowsWithProbabilitiesForEachLabel) {
  TaskSettings settings{.labels = {.names = {"a", "b"}}, .dtype = at::kDouble};
  settings.labels.samples.columns = {label_column(2), distribution_column(2)};
  settings.loss.kind = "gce";
  EXPECT_THROW(LabelLoss(settings, {}), ConfigError);
  settings.loss.kind = "focal";
  EXPECT_NO_THROW(LabelLoss(settings, {}));
}

}  // namespace
}  // namespace sft
