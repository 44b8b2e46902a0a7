// Updates against torch.optim: reference.json, written by reference.py.
#include "trainer/optim/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace sft {
namespace {

OptimConfig config_of(const std::string& kind) {
  OptimConfig config;
  config.optim = kind.substr(0, kind.find('_'));
  config.adam_beta1 = 0.8;
  config.adam_beta2 = 0.95;
  config.adam_epsilon = 1e-6;
  config.momentum = kind == "sgd_momentum" || kind == "sgd_nesterov" ? 0.9 : 0.0;
  config.nesterov = kind == "sgd_nesterov";
  return config;
}

const std::vector<ParameterGroup> kGroups = {{.weight_decay = 0.1, .lr_multiplier = 1.0},
                                             {.weight_decay = 0.0, .lr_multiplier = 0.5}};
constexpr double kRate = 0.01;

// The two parameters of reference.py's updates().
struct Toy {
  at::Tensor numbers = at::arange(12, at::kDouble);
  at::Tensor first = at::sin(numbers.slice(0, 0, 8)).set_requires_grad(true);
  at::Tensor second = at::cos(numbers.slice(0, 0, 5)).set_requires_grad(true);
  Arena arena{{{"first", first, 0, true}, {"second", second, 0, false}}, {0, 1}};

  void write_gradients(int step) {
    first.mutable_grad().copy_(at::sin(numbers.slice(0, 0, 8) * 3 + step));
    second.mutable_grad().copy_(at::sin(numbers.slice(0, 0, 5) * 5 - step));
  }
};

double worst_difference(const at::Tensor& found, const nlohmann::json& wanted) {
  const auto values = wanted.get<std::vector<double>>();
  return (found.detach() - at::tensor(values, at::kDouble)).abs().max().item<double>();
}

// Shown to fail: with the update number counted after the kernel, and with the decay of one group for both.
TEST(Optimizer, MovesWeightsAsTorchDoes) {
  const auto reference = nlohmann::json::parse(std::ifstream(REFERENCE));
  ASSERT_EQ(reference["updates"].size(), 5u);
  for (const auto& wanted : reference["updates"]) {
    Toy toy;
    const auto optimizer = make_optimizer(config_of(wanted["kind"]), toy.arena, kGroups, toy.arena.slices());
    for (int step = 0; step < 5; ++step) {
      toy.write_gradients(step);
      optimizer->step(kRate);
    }
    EXPECT_LT(worst_difference(toy.first, wanted["first"]), 1e-14) << wanted["kind"];
    EXPECT_LT(worst_difference(toy.second, wanted["second"]), 1e-14) << wanted["kind"];
    EXPECT_EQ(optimizer->updates(), 5);
  }
}

TEST(Optimizer, GoesOnFromItsStateAsIfNeverStopped) {
  for (const std::string kind : {"adamw", "adam", "sgd", "sgd_momentum"}) {
    Toy straight, resumed;
    const auto whole = make_optimizer(config_of(kind), straight.arena, kGroups, straight.arena.slices());
    auto part = make_optimizer(config_of(kind), resumed.arena, kGroups, resumed.arena.slices());
    for (int step = 0; step < 6; ++step) {
      straight.write_gradients(step);
      whole->step(kRate);
      if (step == 3) {
        const auto next = make_optimizer(config_of(kind), resumed.arena, kGroups, resumed.arena.slices());
        auto to = next->state(), from = part->state();
        ASSERT_EQ(to.size(), from.size());
        for (size_t i = 0; i < to.size(); ++i) to[i].second.copy_(from[i].second);
        next->set_updates(part->updates());
        resumed.write_gradients(step);
        next->step(kRate);
        break;
      }
      resumed.write_gradients(step);
      part->step(kRate);
    }
    EXPECT_TRUE(at::equal(straight.arena.values(), resumed.arena.values())) << kind;
  }
}

// An update over NaN in the middle, which a scalar says is left out.
TEST(Optimizer, LeavesAnUpdateOutThatNobodyThenSees) {
  const at::Tensor yes = at::ones({}, at::kFloat), no = at::zeros({}, at::kFloat);
  for (const std::string kind : {"adamw", "adam", "sgd", "sgd_momentum", "sgd_nesterov"}) {
    Toy straight, with_one;
    const auto plain = make_optimizer(config_of(kind), straight.arena, kGroups, straight.arena.slices());
    const auto told = make_optimizer(config_of(kind), with_one.arena, kGroups, with_one.arena.slices());
    for (int step = 0; step < 5; ++step) {
      straight.write_gradients(step);
      plain->step(kRate);
      if (step == 0 || step == 3) {
        with_one.arena.gradients().fill_(std::nan(""));
        told->step(kRate, yes);
        with_one.arena.gradients().zero_();  // the padding between parameters
      }
      with_one.write_gradients(step);
      told->step(kRate, no);
    }
    EXPECT_TRUE(at::equal(straight.arena.values(), with_one.arena.values())) << kind;
    EXPECT_EQ(told->updates(), 5) << kind;
  }
}

TEST(Optimizer, UpdatesOnlyTheSlicesItIsGiven) {
  Toy toy;
  const auto before = toy.arena.values().clone();
  const Slice second = toy.arena.slices().front();
  const auto optimizer = make_optimizer(config_of("adamw"), toy.arena, kGroups, {second});
  toy.write_gradients(1);
  optimizer->step(kRate);
  for (const auto& [name, buffer] : optimizer->state()) EXPECT_EQ(buffer.numel(), second.size) << name;
  const auto moved = toy.arena.values() != before;
  EXPECT_EQ(moved.sum().item<int64_t>(), 5);
  EXPECT_EQ(moved.narrow(0, second.offset, second.size).sum().item<int64_t>(), 5);
}

TEST(Optimizer, KeepsEightBytesOfMomentsAParameterForAdamAndNoneForPlainSgd) {
  at::Tensor weight = at::zeros({32, 16});
  Arena arena({{"weight", weight, 0, true}}, {0});
  int64_t bytes = 0;
  for (const auto& [name, buffer] : make_optimizer(config_of("adamw"), arena, {{}}, arena.slices())->state())
    bytes += static_cast<int64_t>(buffer.nbytes());
  EXPECT_EQ(bytes, 8 * arena.num_parameters());
  EXPECT_TRUE(make_optimizer(config_of("sgd"), arena, {{}}, arena.slices())->state().empty());
}

TEST(Optimizer, RefusesAnUnknownRuleByName) {
  Toy toy;
  OptimConfig config;
  config.optim = "lion";
  EXPECT_THROW(make_optimizer(config, toy.arena, kGroups, toy.arena.slices()), ConfigError);
}

}  // namespace
}  // namespace sft
