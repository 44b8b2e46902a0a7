#include "trainer/optim/arena.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/optim/groups.h"

namespace sft {
namespace {

Parameter parameter(const std::string& name, std::vector<int64_t> shape, int stage, bool decays,
                    at::ScalarType type = at::kFloat) {
  at::Tensor value = at::randn(shape, at::TensorOptions().dtype(type));
  value.set_requires_grad(true);
  return {name, value, stage, decays};
}

// Two blocks, a pooler and a head; ragged sizes.
Parameters small_model(at::ScalarType type = at::kFloat) {
  return {parameter("embedding", {7, 3}, 0, true, type),     parameter("block1.weight", {3, 3}, 1, true, type),
          parameter("block1.norm", {3}, 1, false, type),     parameter("block2.weight", {3, 3}, 2, true, type),
          parameter("pooler.weight", {3, 3}, 3, true, type), parameter("classifier.weight", {5, 3}, 4, true, type),
          parameter("classifier.bias", {5}, 4, false, type)};
}

TEST(Arena, KeepsValuesAndShapesAndSharesItsMemoryWithTheModel) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    const Parameters model = small_model(type);
    std::vector<at::Tensor> before;
    for (const Parameter& p : model) before.push_back(p.value.detach().clone());
    Arena arena(model, std::vector<int>(model.size(), 0));
    for (size_t i = 0; i < model.size(); ++i) EXPECT_TRUE(at::equal(model[i].value, before[i])) << model[i].name;

    arena.values().fill_(3);
    for (const Parameter& p : model) EXPECT_TRUE((p.value == 3).all().item<bool>()) << p.name;
  }
}

TEST(Arena, LiesInReverseForwardOrderOn64ByteBordersWithZerosBetween) {
  const Parameters model = small_model();
  Arena arena(model, std::vector<int>(model.size(), 0));
  int64_t end = 0, parameters = 0;
  for (size_t i = 0; i < model.size(); ++i) {
    const Placed& placed = arena.placed()[i];
    EXPECT_EQ(placed.parameter.name, model[model.size() - 1 - i].name);
    EXPECT_EQ(placed.offset * 4 % 64, 0);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(placed.parameter.value.data_ptr()) % 64, 0u);
    EXPECT_GE(placed.offset, end);
    EXPECT_EQ(arena.values().slice(0, end, placed.offset).abs().sum().item<float>(), 0.0f);
    end = placed.offset + placed.size;
    parameters += placed.size;
  }
  EXPECT_EQ(arena.num_parameters(), parameters);
  EXPECT_LE(end, arena.size());
}

// Shown to fail: without the preset .grad autograd makes tensors of its own.
TEST(Arena, CollectsTheGradientsOfSeveralBackwardsInPlace) {
  const Parameters model = small_model();
  Arena arena(model, std::vector<int>(model.size(), 0));
  for (int i = 0; i < 2; ++i) {
    at::Tensor loss = at::zeros({});
    for (const Parameter& p : model) loss = loss + (p.value * 2.0).sum();
    loss.backward();
  }
  EXPECT_EQ(arena.gradients().sum().item<double>(), 4.0 * static_cast<double>(arena.num_parameters()));
  for (const Placed& placed : arena.placed()) {
    EXPECT_EQ(placed.parameter.value.grad().data_ptr(), arena.gradients().data_ptr<float>() + placed.offset);
  }
  arena.zero_gradients();
  EXPECT_EQ(model[0].value.grad().abs().sum().item<float>(), 0.0f);
}

TEST(Arena, CutsItselfIntoRunsOfOneGroup) {
  const Parameters model = small_model();
  Arena arena(model, {0, 0, 1, 0, 0, 2, 1});
  const auto slices = arena.slices();
  ASSERT_EQ(slices.size(), 5u);
  const std::vector<int> groups = {1, 2, 0, 1, 0};
  int64_t end = 0;
  for (size_t i = 0; i < slices.size(); ++i) {
    EXPECT_EQ(slices[i].group, groups[i]);
    EXPECT_EQ(slices[i].offset, end);
    end += slices[i].size;
  }
  EXPECT_EQ(end, arena.size());
}

TEST(Groups, SpareBiasesAndNormsTheDecayAndSlowLowerBlocksDown) {
  OptimConfig config;
  config.weight_decay = 0.01;
  config.layer_decay = 0.5;
  config.head_lr_multiplier = 10;
  const Parameters model = small_model();
  const Grouping grouping = group_parameters(config, model, /*num_blocks=*/2);
  const auto group = [&](size_t i) { return grouping.groups[static_cast<size_t>(grouping.group_of[i])]; };
  EXPECT_EQ(group(0), (ParameterGroup{0.01, 0.125}));  // embedding
  EXPECT_EQ(group(1), (ParameterGroup{0.01, 0.25}));   // the lower block
  EXPECT_EQ(group(2), (ParameterGroup{0.0, 0.25}));    // its norm
  EXPECT_EQ(group(3), (ParameterGroup{0.01, 0.5}));    // the upper block
  EXPECT_EQ(group(4), (ParameterGroup{0.01, 1.0}));    // pooler
  EXPECT_EQ(group(5), (ParameterGroup{0.01, 10.0}));   // head
  EXPECT_EQ(group(6), (ParameterGroup{0.0, 10.0}));
}

TEST(Groups, AreTwoAtMostByDefault) {
  OptimConfig config;
  config.weight_decay = 0.01;
  EXPECT_EQ(group_parameters(config, small_model(), 2).groups.size(), 2u);
  config.weight_decay = 0.0;
  EXPECT_EQ(group_parameters(config, small_model(), 2).groups.size(), 1u);
}

}  // namespace
}  // namespace sft
