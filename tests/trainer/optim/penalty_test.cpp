// L1 and L2 terms against autograd of the sums themselves.
#include "trainer/optim/penalty.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace sft {
namespace {

Parameters parameters(at::ScalarType type) {
  at::manual_seed(3);
  Parameters all;
  for (const auto& shape : std::vector<std::vector<int64_t>>{{7, 3}, {3}, {600, 500}}) {
    at::Tensor value = at::randn(shape, at::TensorOptions().dtype(type));
    value.flatten()[0] = 0;  // where |θ| has no slope, torch takes 0
    all.push_back({"p" + std::to_string(all.size()), value.set_requires_grad(true), 0, true});
  }
  return all;
}

// λ Σ(θ − θ₀)², of what is not pretrained λ Σθ².
TEST(Penalty, FromTheStartIsAutogradsOfTheDistanceToWhereTrainingBegan) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    const Parameters trained = parameters(type);
    Arena arena(trained, std::vector<int>(trained.size(), 0));
    const Penalty penalty{.l1 = 0.01, .l2 = 0.02, .l2_from_start = 0.3, .start = start_of(arena, {"p0", "p2"})};
    std::vector<at::Tensor> starts;
    for (const Parameter& p : trained)
      starts.push_back(p.name == "p1" ? at::zeros_like(p.value.detach()) : p.value.detach().to(at::kDouble).clone());
    arena.values().add_(at::randn_like(arena.values()));
    at::Tensor expected = at::zeros({}, at::kDouble);
    std::vector<at::Tensor> copies;
    for (size_t i = 0; i < trained.size(); ++i) {
      const at::Tensor& copy = copies.emplace_back(trained[i].value.detach().to(at::kDouble).clone());
      copy.set_requires_grad(true);
      expected = expected + 0.01 * copy.abs().sum() + 0.02 * copy.pow(2).sum() + 0.3 * (copy - starts[i]).pow(2).sum();
    }
    expected.backward();
    arena.gradients().fill_(0.5);
    const double tolerance = type == at::kDouble ? 1e-12 : 1e-6;
    EXPECT_NEAR(penalty.value(arena).item<double>(), expected.item<double>(),
                tolerance * (1 + expected.item<double>()));
    penalty.add_gradient_to(arena, arena.slices());
    for (size_t i = 0; i < trained.size(); ++i) {
      const at::Tensor gradient = trained[i].value.grad().to(at::kDouble);
      EXPECT_LE((gradient - 0.5 - copies[i].grad()).abs().max().item<double>(), type == at::kDouble ? 1e-14 : 2e-6)
          << i;
    }
  }
}

TEST(Penalty, ItsValueAndGradientAreAutogradsOfTheSumsOverAllParameters) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    for (const Penalty& penalty : {Penalty{0.25, 0}, Penalty{0, 0.5}, Penalty{0.01, 0.02}, Penalty{}}) {
      const Parameters trained = parameters(type);
      at::Tensor expected = at::zeros({}, at::kDouble);
      std::vector<at::Tensor> copies;
      for (const Parameter& p : trained) {
        copies.push_back(p.value.detach().to(at::kDouble).clone().set_requires_grad(true));
        expected = expected + penalty.l1 * copies.back().abs().sum() + penalty.l2 * copies.back().pow(2).sum();
      }
      expected.backward();

      Arena arena(trained, std::vector<int>(trained.size(), 0));
      arena.gradients().fill_(0.5);  // of the data
      EXPECT_NEAR(penalty.value(arena).item<double>(), expected.item<double>(), 1e-12 * (1 + expected.item<double>()));
      penalty.add_gradient_to(arena, arena.slices());
      const double tolerance = type == at::kDouble ? 4e-15 : 1e-6;
      for (size_t i = 0; i < trained.size(); ++i) {
        const at::Tensor gradient = trained[i].value.grad().to(at::kDouble);
        EXPECT_LE((gradient - 0.5 - copies[i].grad()).abs().max().item<double>(), tolerance) << i;
      }
    }
  }
}

}  // namespace
}  // namespace sft
