// What ELECTRA and ALBERT have of their own: narrow embeddings, and blocks that share weights. What they share with
// others is in text_models_test.cpp.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "trainer/adapters/freeze.h"
#include "trainer/adapters/low_rank_adapters.h"
#include "trainer/adapters/target_modules.h"
#include "trainer/learner/learner.h"
#include "trainer/learner/stages.h"
#include "trainer/models/model_fixtures.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

using testing::batch_of;
using testing::small_config;
using testing::small_model;

nlohmann::json shared_config() {
  nlohmann::json config = small_config("albert");
  config["num_hidden_groups"] = 1;
  return config;
}

TEST(Electra, NamesAndHeadsAreThoseOfTransformers) {
  const auto model = small_model("electra");
  const Parameters parameters = model->parameters();
  ASSERT_EQ(parameters.size(), 5u + 2 + 3 * 16) << "no pooler";
  EXPECT_EQ(parameters[0].value.sizes(), at::IntArrayRef({50, 12}));
  EXPECT_EQ(parameters[5].name, "electra.embeddings_project.weight");
  EXPECT_EQ(parameters[5].value.sizes(), at::IntArrayRef({20, 12}));
  EXPECT_EQ(parameters[5].stage, 0);
  EXPECT_EQ(model->sequence_head().hidden, "classifier.dense");
  EXPECT_EQ(model->sequence_head().activation, Activation::gelu);
  EXPECT_EQ(model->token_head().hidden, "");
  EXPECT_EQ(model->canonical("embeddings_project.bias"), "electra.embeddings_project.bias");
  EXPECT_EQ(model->architecture("ForTokenClassification"), "ElectraForTokenClassification");
  nlohmann::json wide = small_config("electra");
  wide["embedding_size"] = 20;
  EXPECT_EQ(make_model(wide, {.seed = 0})->parameters().size(), 5u + 3 * 16) << "no projection where none is needed";
}

TEST(Albert, NamesAndStagesAreThoseOfTransformers) {
  const auto model = make_model(shared_config(), {.seed = 0});
  const Parameters parameters = model->parameters();
  ASSERT_EQ(parameters.size(), 5u + 2 + 16 + 2);
  EXPECT_EQ(model->num_blocks(), 3);
  EXPECT_EQ(parameters[5].name, "albert.encoder.embedding_hidden_mapping_in.weight");
  EXPECT_EQ(parameters[7].name, "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.query.weight");
  EXPECT_EQ(parameters[7].stage, 1);
  EXPECT_EQ(parameters[22].name, "albert.encoder.albert_layer_groups.0.albert_layers.0.full_layer_layer_norm.bias");
  EXPECT_EQ(parameters.back().name, "albert.pooler.bias");
  EXPECT_EQ(parameters.back().stage, 4);
  EXPECT_EQ(model->config()["hidden_act"], "gelu_new");
  EXPECT_EQ(model->sequence_head().dropout, 0.1) << "classifier_dropout_prob";
  EXPECT_EQ(model->canonical("encoder.embedding_hidden_mapping_in.bias"),
            "albert.encoder.embedding_hidden_mapping_in.bias");
  EXPECT_EQ(model->canonical("pooler.weight"), "albert.pooler.weight");
}

class Counter final : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit Counter(int& count) : count_(count) {}
  void operator()(const torch::autograd::Variable&) override { ++count_; }

 private:
  int& count_;
};

// How often a backward pass writes the gradient of one parameter, at most, where stages are run again in it.
int most_writes(Model& model, const Inputs& inputs) {
  const Parameters parameters = model.parameters();
  std::vector<int> counts(parameters.size(), 0);
  const auto hook = [&](size_t i, std::unique_ptr<Counter> counter) {
    torch::autograd::impl::set_post_acc_grad_hooks(parameters[i].value, std::move(counter));
  };
  for (size_t i = 0; i < counts.size(); ++i) hook(i, std::make_unique<Counter>(counts[i]));
  Stages(model, {.recomputes = true}).forward(inputs, Mode::training).sum().backward();
  for (size_t i = 0; i < counts.size(); ++i) hook(i, nullptr);
  return *std::ranges::max_element(counts);
}

// In as many parts as blocks share it: it may not leave before the backward pass is over.
TEST(Albert, GivesAGradientInPartsWhereBlocksThatShareWeightsRunAgain) {
  const Inputs inputs = to_device(batch_of({5, 9}), at::kCPU);
  const auto shared = make_model(shared_config(), {.seed = 0}), apart = small_model("albert");
  EXPECT_EQ(shared->blocks_sharing_weights(), 3);
  EXPECT_EQ(most_writes(*shared, inputs), 3);
  EXPECT_EQ(apart->blocks_sharing_weights(), 1);
  EXPECT_EQ(most_writes(*apart, inputs), 1);
}

// A learner in which the parameters of the stages `trained` train: dropout falls in the stages `falls` alone.
void expect_dropout(const nlohmann::json& config, const std::set<int>& trained, const std::vector<bool>& falls) {
  auto model = make_model(config, {.dtype = at::kDouble, .seed = 5, .dropout_seed = 3});
  auto task = make_task("text_classification", {.labels = {.names = {"a", "b"}}, .dtype = at::kDouble}, *model);
  std::vector<bool> which;
  for (const Parameter& parameter : all_parameters(*model, *task)) which.push_back(trained.contains(parameter.stage));
  Learner learner(std::move(model), std::move(task), std::move(which), {});

  const Batch batch = batch_of({9, 5});
  const Inputs inputs = learner.inputs(batch);
  const auto loss_with = [&](const std::vector<bool>& stages) {
    const at::Tensor features = Stages(learner.model(), {.trains = stages}).forward(inputs, Mode::training);
    return learner.task().loss_sum(learner.model(), features, inputs, batch, {1.0}).item<double>();
  };
  EXPECT_NEAR(learner.loss_sum(batch, {1.0}).item<double>(), loss_with(falls), 1e-12);
  for (size_t s = 0; s < falls.size(); ++s) {
    std::vector<bool> other = falls;
    other[s] = !other[s];
    EXPECT_GT(std::abs(loss_with(other) - loss_with(falls)), 1e-9) << "nothing falls in stage " << s;
  }
}

// Above the lowest of the blocks that share weights no parameter stands.
TEST(Albert, DropoutFallsInAllBlocksThatShareWeights) {
  expect_dropout(shared_config(), {1}, {false, true, true, true});
}

TEST(Albert, DropoutFallsInNoBlockOfAGroupThatIsFrozen) {
  nlohmann::json config = shared_config();
  config["num_hidden_layers"] = 4;
  config["num_hidden_groups"] = 2;
  expect_dropout(config, {0, 3}, {true, false, false, true, true});
}

TEST(Albert, FreezesAllBlocksThatShareWeightsOrNone) {
  nlohmann::json config = shared_config();
  config["num_hidden_layers"] = 6;
  config["num_hidden_groups"] = 2;
  const auto model = make_model(config, {.seed = 0});
  const auto trained = [&](int64_t all_but_last) {
    FreezeConfig freeze;
    freeze.all_but_last = all_but_last;
    const auto chosen =
        choose_trained(freeze, model->parameters(), model->num_blocks(), model->blocks_sharing_weights());
    return std::count(chosen.begin(), chosen.end(), true);
  };
  EXPECT_EQ(trained(3), 16 + 2);
  EXPECT_EQ(trained(6), 32 + 2);
  try {
    trained(2);
    FAIL() << "two of three blocks that share weights";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "freeze.all_but_last: 3 of the model's 6 blocks share their weights, so that none trains without the "
                 "others; wanted 0 (the head alone) or a multiple of 3, found 2");
  }
}

// The same rows, given to blocks on the same weights.
TEST(Albert, DropoutOfAdaptersFallsApartInEachBlock) {
  nlohmann::json config = shared_config();
  config["hidden_dropout_prob"] = config["attention_probs_dropout_prob"] = 0.0;
  const auto model = make_model(config, {.dtype = at::kDouble, .seed = 5});
  const LowRankAdapters adapters =
      put_adapters(find_targets({"ffn"}, model->linears()), {.r = 2, .lora_dropout = 0.5}, at::kDouble, 1, 2);
  for (const Parameter& parameter : adapters.parameters())
    parameter.value.set_data(testing::drawn(parameter.value.sizes(), 7));
  const Inputs inputs = to_device(batch_of({9}), at::kCPU);
  const at::Tensor x = testing::drawn({9, 20}, 3);
  const auto run = [&](int stage, Mode mode) { return model->stage(stage, x, inputs, mode); };
  EXPECT_TRUE(run(1, Mode::evaluation).equal(run(2, Mode::evaluation)));
  EXPECT_TRUE(run(2, Mode::training).equal(run(2, Mode::training)));
  EXPECT_GT(testing::distance(run(1, Mode::training), run(2, Mode::training)), 1e-3);
  EXPECT_GT(testing::distance(run(2, Mode::training), run(3, Mode::training)), 1e-3);
}

TEST(Albert, WhatIsNotBuiltIsRefusedByName) {
  testing::expect_refused("albert", "num_hidden_groups", 2,
                          "num_hidden_groups must be a divisor of num_hidden_layers (3), found 2");
  testing::expect_refused("albert", "inner_group_num", 2, "inner_group_num must be 1 (others are not built), found 2");
  testing::expect_refused("albert", "embedding_size", 0, "embedding_size must be an integer from 1");
  testing::expect_refused("electra", "is_decoder", true, "is_decoder must be false (ELECTRA is built as an encoder)");
  testing::expect_refused("electra", "embedding_size", "wide", "embedding_size must be an integer from 1");
}

}  // namespace
}  // namespace sft
