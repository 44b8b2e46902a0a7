// The loss against torch.nn.functional.cross_entropy: reference.json, written by reference.py.
#include "trainer/tasks/blocks/cross_entropy.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sft {
namespace {

nlohmann::json entropy_reference() { return nlohmann::json::parse(std::ifstream(REFERENCE)); }

at::Tensor tensor_of(const nlohmann::json& values) {
  return at::tensor(values.get<std::vector<double>>(), at::kDouble);
}

at::Tensor logits_of(int64_t rows, int64_t classes) {
  at::Tensor logits = (at::sin(at::arange(rows * classes, at::kDouble) * 1.3) * 3).view({rows, classes});
  return logits.set_requires_grad(true);
}

// Shown to fail: smoothing without the class weights, and a denominator that counts ignored rows.
TEST(CrossEntropy, IsTorchsForSmoothingClassWeightsAndSampleWeightsTogether) {
  const auto all = entropy_reference();
  const auto labels = all["labels"].get<std::vector<int64_t>>();
  ASSERT_EQ(all["losses"].size(), 18u);
  for (const auto& wanted : all["losses"]) {
    const at::Tensor logits = logits_of(all["rows"], all["classes"]);
    const at::Tensor sum = cross_entropy_sum(logits, at::tensor(labels, at::kLong), tensor_of(wanted["class_weights"]),
                                             tensor_of(wanted["sample_weights"]), wanted["smoothing"]);
    sum.backward();
    const double weight = cross_entropy_weight(labels, wanted["sample_weights"].get<std::vector<float>>(),
                                               wanted["class_weights"].get<std::vector<double>>());
    EXPECT_NEAR(sum.item<double>(), wanted["sum"].get<double>(), 1e-12) << wanted;
    EXPECT_NEAR(weight, wanted["weight"].get<double>(), 1e-12) << wanted;
    EXPECT_LT((logits.grad().flatten() - tensor_of(wanted["gradient"])).abs().max().item<double>(), 1e-13) << wanted;
    if (!wanted.contains("mean")) continue;
    EXPECT_NEAR(sum.item<double>() / weight, wanted["mean"].get<double>(), 1e-12) << wanted;
  }
}

TEST(CrossEntropy, IsTheFocalLossWithAGamma) {
  const auto all = entropy_reference();
  const at::Tensor labels = at::tensor(all["labels"].get<std::vector<int64_t>>(), at::kLong);
  ASSERT_EQ(all["focal"].size(), 15u);
  for (const auto& wanted : all["focal"]) {
    const at::Tensor logits = logits_of(all["rows"], all["classes"]);
    const at::Tensor sum = cross_entropy_sum(logits, labels, tensor_of(wanted["class_weights"]),
                                             tensor_of(wanted["sample_weights"]), 0, wanted["gamma"]);
    sum.backward();
    EXPECT_NEAR(sum.item<double>(), wanted["sum"].get<double>(), 1e-12) << wanted;
    EXPECT_LT((logits.grad().flatten() - tensor_of(wanted["gradient"])).abs().max().item<double>(), 1e-12) << wanted;
  }
}

// p = 1 in floating point, and p = 0 as near as it comes: no gradient may be NaN.
TEST(CrossEntropy, IsFiniteWithAGammaHoweverSureTheModelIs) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const double gamma : {0.25, 1.0, 2.0}) {
      at::Tensor logits = at::zeros({2, 3}, type);
      logits[0][1] = 1000, logits[1][2] = 1000;
      logits.set_requires_grad(true);
      const at::Tensor ones = at::ones({3}, type);
      const at::Tensor sum = cross_entropy_sum(logits, at::tensor(std::vector<int64_t>{1, 1}, at::kLong), ones,
                                               at::ones({2}, type), 0.1, gamma);
      sum.backward();
      EXPECT_TRUE(std::isfinite(sum.item<double>()));
      EXPECT_TRUE(logits.grad().isfinite().all().item<bool>()) << gamma << ": " << logits.grad();
    }
  }
}

TEST(CrossEntropy, AddsUpOverAnyCutOfABatch) {
  const auto all = entropy_reference();
  const at::Tensor labels = at::tensor(all["labels"].get<std::vector<int64_t>>(), at::kLong);
  const auto& wanted = all["losses"].back();
  const at::Tensor logits = logits_of(all["rows"], all["classes"]).detach(), rows = tensor_of(wanted["sample_weights"]);
  double sum = 0;
  for (const auto& [first, last] : {std::pair{0, 3}, {3, 4}, {4, 7}}) {
    sum += cross_entropy_sum(logits.slice(0, first, last), labels.slice(0, first, last),
                             tensor_of(wanted["class_weights"]), rows.slice(0, first, last), wanted["smoothing"])
               .item<double>();
  }
  EXPECT_NEAR(sum, wanted["sum"].get<double>(), 1e-12);
}

TEST(CrossEntropy, IsZeroAndWeighsNothingWithoutARealTarget) {
  const at::Tensor logits = logits_of(2, 3);
  const std::vector<int64_t> labels = {kIgnoredLabel, kIgnoredLabel};
  const at::Tensor ones = at::ones({3}, at::kDouble);
  const at::Tensor sum =
      cross_entropy_sum(logits, at::tensor(labels, at::kLong), ones, at::ones({2}, at::kDouble), 0.1);
  sum.backward();
  EXPECT_EQ(sum.item<double>(), 0.0);
  EXPECT_EQ(logits.grad().abs().sum().item<double>(), 0.0);
  EXPECT_EQ(cross_entropy_weight(labels, {1.0f, 1.0f}, {1.0, 1.0, 1.0}), 0.0);
}

}  // namespace
}  // namespace sft
