// Soft labels, a teacher and label priors against torch: reference.json, written by reference.py.
#include "trainer/tasks/blocks/label_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "trainer/tasks/recipes/target_column.h"

namespace sft {
namespace {

const nlohmann::json& label_losses() {
  static const nlohmann::json all = nlohmann::json::parse(std::ifstream(REFERENCE));
  return all;
}

const StringList kFourNames = {"a", "b", "c", "d"};

// Rows `first` … `end` − 1.
Batch targets_of(const nlohmann::json& wanted, bool soft, int64_t first, int64_t end) {
  Schema schema{.columns = {label_column(4), teacher_logits_column(4)}};
  if (soft) schema.columns.push_back(distribution_column(4));
  Batch batch(schema);
  const auto part = [&](const nlohmann::json& all, int64_t width) {
    const auto numbers = all.get<std::vector<float>>();
    return std::vector<float>(numbers.begin() + first * width, numbers.begin() + end * width);
  };
  const auto labels = label_losses()["labels"].get<std::vector<int64_t>>();
  batch.at("labels").set(std::vector<int64_t>(labels.begin() + first, labels.begin() + end));
  batch.at("teacher_logits").set(part(wanted["teacher"], 4));
  if (soft) batch.at("distribution").set(part(label_losses()["distributions"], 4));
  batch.weights = part(label_losses()["sample_weights"], 1);
  return batch;
}

TaskSettings settings_of(const nlohmann::json& wanted, bool soft) {
  TaskSettings settings{.labels = {.names = kFourNames}, .dtype = at::kDouble};
  settings.labels.samples = targets_of(wanted, soft, 0, 1).schema;
  LossConfig& loss = settings.loss;
  loss.distill_weight = wanted["alpha"];
  loss.distill_temperature = wanted["temperature"];
  loss.logit_adjustment = wanted["tau"];
  loss.label_smoothing_factor = wanted["smoothing"];
  loss.label_priors = {"", {}};
  loss.class_weights = {"", {}};
  for (size_t k = 0; k < kFourNames.size(); ++k) {
    loss.label_priors.numbers[kFourNames[k]] = label_losses()["priors"][k];
    loss.class_weights.numbers[kFourNames[k]] = wanted["class_weights"][k];
  }
  return settings;
}

at::Tensor logits_of(int64_t rows) { return (at::sin(at::arange(rows * 4, at::kDouble) * 1.3) * 3).view({rows, 4}); }

// Shown to fail: without T², without the row's class weight in the divergence, and with the priors on the teacher's
// side too.
TEST(LabelLoss, IsTorchsForDistributionsTeachersAndPriorsTogetherOverAnyCut) {
  ASSERT_EQ(label_losses()["supervised"].size(), 16u);
  for (const auto& wanted : label_losses()["supervised"]) {
    const bool soft = wanted["soft"];
    const LabelLoss loss(settings_of(wanted, soft), {});
    EXPECT_EQ(loss.learns_distributions(), soft);
    const at::Tensor logits = logits_of(7).set_requires_grad(true);
    for (const int64_t cut : {0, 3}) {
      logits.mutable_grad() = at::Tensor();
      at::Tensor sum = at::zeros({}, at::kDouble);
      double weight = 0;
      for (const auto& [first, end] : {std::pair<int64_t, int64_t>{0, cut}, {cut, 7}}) {
        if (first == end) continue;
        const Batch batch = targets_of(wanted, soft, first, end);
        sum = sum + loss.sum(logits.slice(0, first, end), batch);
        weight += loss.weight(batch);
      }
      sum.backward();
      const auto gradient = at::tensor(wanted["gradient"].get<std::vector<double>>(), at::kDouble);
      EXPECT_NEAR(sum.item<double>(), wanted["sum"].get<double>(), 1e-10) << wanted;
      EXPECT_NEAR(weight, wanted["weight"].get<double>(), 1e-10) << wanted;
      EXPECT_LT((logits.grad().flatten() - gradient).abs().max().item<double>(), 1e-10) << wanted;
    }
  }
}

TEST(LogitAdjustment, TakesThePriorsFromTheBiasOfTheModelThatIsLeft) {
  TaskSettings settings{.labels = {.names = kFourNames, .counts = {50, 25, 20, 5}}, .dtype = at::kDouble};
  settings.loss.logit_adjustment = 2;
  settings.loss.logit_adjustment_at = "export";
  const at::Tensor bias = at::ones({4}, at::kDouble).set_requires_grad(true);
  const LogitAdjustment at_export(settings, LogitAdjustment::Of::one_label, bias);
  const at::Tensor logits = logits_of(2);
  EXPECT_TRUE(at_export.in_loss(logits).is_same(logits));
  at_export.take_from_bias();
  const std::vector<double> priors = label_losses()["priors"];
  for (int64_t k = 0; k < 4; ++k)
    EXPECT_NEAR(bias[k].item<double>(), 1 - 2 * std::log(priors[static_cast<size_t>(k)]), 1e-14);

  settings.loss.logit_adjustment_at = "loss";
  const LogitAdjustment in_loss(settings, LogitAdjustment::Of::one_label, {});
  in_loss.take_from_bias();
  EXPECT_NEAR((in_loss.in_loss(logits) - logits)[1][3].item<double>(), 2 * std::log(0.05), 1e-14);
}

TEST(LogitAdjustment, OfSetsIsTheLogOddsOfEachLabel) {
  TaskSettings settings{.labels = {.names = {"a", "b"}, .counts = {3, 8}, .num_rows = 10}, .dtype = at::kDouble};
  settings.loss.logit_adjustment = 1;
  const LogitAdjustment sets(settings, LogitAdjustment::Of::sets, {});
  const at::Tensor moved = sets.in_loss(at::zeros({1, 2}, at::kDouble));
  EXPECT_NEAR(moved[0][0].item<double>(), std::log(0.3 / 0.7), 1e-14);
  EXPECT_NEAR(moved[0][1].item<double>(), std::log(0.8 / 0.2), 1e-14);
}

void expect_refused(const TaskSettings& settings, LogitAdjustment::Of targets, const std::string& words) {
  try {
    const LogitAdjustment adjustment(settings, targets, {});
    FAIL() << "taken, wanted " << words;
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(LogitAdjustment, RefusesPriorsThatCannotBeUsed) {
  using Of = LogitAdjustment::Of;
  TaskSettings settings{.labels = {.names = {"a", "b"}, .counts = {3, 0}, .num_rows = 3}, .dtype = at::kDouble};
  settings.loss.logit_adjustment = 1;
  expect_refused(settings, Of::one_label, "the share of the label 'b' is 0 in the training rows");
  settings.labels.counts = {3, 3};
  expect_refused(settings, Of::sets, "'a' is 1");
  settings.loss.logit_adjustment_at = "export";
  expect_refused(settings, Of::one_label, "has no bias");
  settings.loss.label_priors = {"", {{"a", 0.5}, {"c", 0.5}}};
  expect_refused(settings, Of::one_label, "'c' is no label");
  settings.loss.label_priors = {"", {{"a", 0.5}}};
  expect_refused(settings, Of::one_label, "names no share of the label 'b'");
  settings.loss.label_priors = {"", {{"a", 0.5}, {"b", 0.1}}};
  expect_refused(settings, Of::one_label, "sum to 0.6");
}

TEST(LabelLoss, RefusesATeacherWhoseLogitsTheTrainingSamplesLack) {
  TaskSettings settings{.labels = {.names = {"a", "b"}}, .dtype = at::kDouble};
  settings.loss.distill_weight = 0.5;
  settings.labels.samples.columns = {label_column(2)};
  EXPECT_THROW(LabelLoss(settings, {}), DataError);
}

}  // namespace
}  // namespace sft
