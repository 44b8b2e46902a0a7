// BERT on packed rows: what packing, reading and freezing must not change.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <set>

#include "base/errors.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::batch_of;
using testing::distance;
using testing::drawn;
using testing::only;
using testing::set_training;
using testing::small_bert;
using testing::small_model;

std::vector<at::Tensor> gradients(const Model& model) {
  std::vector<at::Tensor> all;
  for (const Parameter& parameter : model.parameters()) all.push_back(parameter.value.grad());
  return all;
}

void clear_gradients(const Model& model) {
  for (const Parameter& parameter : model.parameters()) parameter.value.mutable_grad() = at::Tensor();
}

// Broken by hand once: with the row of the batch, or the number of the sequence in it, in place of the draw in a mask's
// key, both comparisons fail in the first digit.
TEST(Bert, PackedEqualsOneByOneDropoutIncluded) {
  const auto model = small_model();
  const Batch batch = batch_of({5, 1, 17, 9, 30});
  for (const Reads reads : {Reads::all, Reads::first}) {
    set_training(*model, true);
    model->set_dropout_seed(11);
    clear_gradients(*model);
    const at::Tensor packed = model->forward(to_device(batch, at::kCPU), reads).rows;
    const at::Tensor seen = drawn(packed.sizes(), 3);
    (packed * seen).sum().backward();
    const auto of_packed = gradients(*model);

    clear_gradients(*model);
    std::vector<at::Tensor> alone;
    int64_t row = 0;
    for (int64_t b = 0; b < batch.size(); ++b) {
      const at::Tensor rows = model->forward(to_device(only(batch, b), at::kCPU), reads).rows;
      (rows * seen.narrow(0, row, rows.size(0))).sum().backward();
      row += rows.size(0);
      alone.push_back(rows.detach());
    }
    EXPECT_LT(distance(packed, at::cat(alone)), 1e-12);
    double whole = 0;
    for (const at::Tensor& g : of_packed) {
      if (g.defined()) whole += g.norm().item<double>() * g.norm().item<double>();
    }
    const auto of_each = gradients(*model);
    for (size_t i = 0; i < of_packed.size(); ++i) {
      ASSERT_EQ(of_packed[i].defined(), of_each[i].defined());
      if (!of_packed[i].defined()) continue;  // the pooler was not asked
      const double limit = 1e-12 * std::max(of_each[i].norm().item<double>(), 1e-4 * std::sqrt(whole));
      EXPECT_LE((of_packed[i] - of_each[i]).norm().item<double>(), limit) << model->parameters()[i].name;
    }
  }
}

TEST(Bert, ReadingFirstRowsGivesTheFirstRowsOfAll) {
  const auto model = small_model();
  set_training(*model, true);
  const Inputs inputs = to_device(batch_of({5, 1, 17, 9}), at::kCPU);
  const at::Tensor all = model->forward(inputs, Reads::all).rows, first = model->forward(inputs, Reads::first).rows;
  EXPECT_EQ(first.size(0), 4);
  EXPECT_LT(distance(first, all.index_select(0, text_of(inputs).first_B)), 1e-12);
}

TEST(Bert, DropoutFollowsSeedAndDrawAndStopsInEvaluation) {
  const auto model = small_model();
  Batch batch = batch_of({8, 8});
  const auto run = [&] { return model->forward(to_device(batch, at::kCPU), Reads::all).rows.detach(); };
  const at::Tensor evaluated = run();
  set_training(*model, true);
  const at::Tensor trained = run();
  EXPECT_GT(distance(trained, evaluated), 0.1);
  EXPECT_TRUE(run().equal(trained));
  model->set_dropout_seed(1);
  EXPECT_GT(distance(run(), trained), 0.1);
  model->set_dropout_seed(0);
  batch.draws[1] += 1;
  const at::Tensor other_draw = run();
  EXPECT_TRUE(other_draw.narrow(0, 0, 8).equal(trained.narrow(0, 0, 8)));
  EXPECT_GT(distance(other_draw.narrow(0, 8, 8), trained.narrow(0, 8, 8)), 0.1);
  set_training(*model, false);
  EXPECT_TRUE(run().equal(evaluated));
}

TEST(Bert, NothingBelowTheFirstTrainedStageHasAGraphOrDropout) {
  const auto model = small_model();
  set_training(*model, true);
  model->set_first_trained(3);
  const Inputs inputs = to_device(batch_of({5, 9}), at::kCPU);
  model->forward(inputs, Reads::all).rows.sum().backward();
  for (const Parameter& parameter : model->parameters()) {
    EXPECT_EQ(parameter.value.grad().defined(), parameter.stage == 3) << parameter.name;
  }
  model->set_first_trained(model->num_blocks() + 1);
  const at::Tensor frozen = model->forward(inputs, Reads::all).rows;
  EXPECT_FALSE(frozen.requires_grad());
  set_training(*model, false);
  EXPECT_TRUE(model->forward(inputs, Reads::all).rows.equal(frozen));
}

// (The blocks have the same bits on any number of threads; the library's matrix products do not promise it.)
TEST(Bert, RepeatsItsBits) {
  const auto model = small_model(at::kFloat);
  set_training(*model, true);
  const Inputs inputs = to_device(batch_of({5, 9, 40, 33, 31}), at::kCPU);
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    clear_gradients(*model);
    (model->forward(inputs, Reads::all).rows * drawn({118, 20}, 3, at::kFloat)).sum().backward();
    at::set_num_threads(1);
    return gradients(*model);
  };
  const auto once = run(3), again = run(3);
  for (size_t i = 0; i < once.size(); ++i) {
    if (!once[i].defined()) continue;  // the pooler was not asked
    EXPECT_TRUE(once[i].equal(again[i])) << model->parameters()[i].name;
  }
}

TEST(Bert, NamesAndStagesAreThoseOfTransformers) {
  const auto model = small_model();
  const Parameters parameters = model->parameters();
  EXPECT_EQ(parameters.size(), 5u + 3 * 16 + 2);
  EXPECT_EQ(parameters.front().name, "bert.embeddings.word_embeddings.weight");
  EXPECT_EQ(parameters[5].name, "bert.encoder.layer.0.attention.self.query.weight");
  EXPECT_EQ(parameters[5].stage, 1);
  EXPECT_EQ(parameters.back().name, "bert.pooler.dense.bias");
  EXPECT_EQ(parameters.back().stage, 4);
  std::set<std::string> names;
  for (const Parameter& parameter : parameters) {
    names.insert(parameter.name);
    const bool matrix = parameter.value.dim() == 2;
    EXPECT_EQ(parameter.decays, matrix) << parameter.name;
    EXPECT_TRUE(parameter.value.is_leaf() && parameter.value.requires_grad()) << parameter.name;
  }
  EXPECT_EQ(names.size(), parameters.size());
}

TEST(Bert, OldSpellingsHaveCanonicalNames) {
  const auto model = small_model();
  EXPECT_EQ(model->canonical("embeddings.LayerNorm.gamma"), "bert.embeddings.LayerNorm.weight");
  EXPECT_EQ(model->canonical("bert.encoder.layer.1.output.LayerNorm.beta"),
            "bert.encoder.layer.1.output.LayerNorm.bias");
  EXPECT_EQ(model->canonical("pooler.dense.weight"), "bert.pooler.dense.weight");
  EXPECT_EQ(model->canonical("classifier.weight"), "classifier.weight");
}

TEST(Bert, StartsFromTheSameWeightsOnEveryRankAndLikeTransformers) {
  const auto a = small_model(at::kFloat), b = small_model(at::kFloat),
             c = make_model(small_bert(), at::kCPU, at::kFloat, 6);
  for (size_t i = 0; i < a->parameters().size(); ++i) {
    const Parameter parameter = a->parameters()[i];
    EXPECT_TRUE(parameter.value.equal(b->parameters()[i].value)) << parameter.name;
    if (!parameter.decays) {
      EXPECT_TRUE(parameter.value.eq(parameter.name.ends_with("LayerNorm.weight") ? 1.0 : 0.0).all().item<bool>())
          << parameter.name;
      continue;
    }
    EXPECT_FALSE(parameter.value.equal(c->parameters()[i].value)) << parameter.name;
    const double count = static_cast<double>(parameter.value.numel());
    EXPECT_NEAR(parameter.value.std().item<double>(), 0.3, 5 * 0.3 / std::sqrt(2 * count)) << parameter.name;
  }
  EXPECT_EQ(a->parameters().front().value[0].abs().sum().item<double>(), 0.0) << "the padding word";
}

void expect_refused(const char* key, const nlohmann::json& value, const std::string& part) {
  nlohmann::json config = small_bert();
  config[key] = value;
  try {
    make_model(config, at::kCPU, at::kFloat, 0);
    FAIL() << key << " = " << value << " was accepted";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Bert, WhatIsNotBuiltIsRefusedByName) {
  expect_refused("model_type", "xlnet", "'xlnet' is not built; built are: bert");
  expect_refused("hidden_act", "geluu", "hidden_act = 'geluu' is not built");
  expect_refused("position_embedding_type", "relative_key", "position_embedding_type must be \"absolute\"");
  expect_refused("is_decoder", true, "is_decoder must be false");
  expect_refused("hidden_size", 21, "hidden_size must be a multiple of num_attention_heads (4), found 21");
  expect_refused("hidden_dropout_prob", 1.0, "hidden_dropout_prob must be a rate from 0 to below 1, found 1.0");
  expect_refused("num_hidden_layers", "six", "num_hidden_layers must be an integer of at least 1, found \"six\"");
  expect_refused("pad_token_id", 50, "pad_token_id must be below vocab_size (50)");
}

TEST(Bert, ConfigComesBackWithItsDefaults) {
  const auto model = small_model();
  EXPECT_EQ(model->config()["layer_norm_eps"], 1e-12);
  EXPECT_EQ(model->config()["hidden_act"], "gelu");
  EXPECT_EQ(model->head(Reads::first).dropout, 0.2);
  nlohmann::json config = small_bert();
  config["classifier_dropout"] = 0.5;
  EXPECT_EQ(make_model(config, at::kCPU, at::kFloat, 0)->head(Reads::first).dropout, 0.5);
  EXPECT_EQ(model->flops(7, 2, Reads::all), 7 * 2.0 * 3 * (4 * 20 * 20 + 2 * 20 * 37));
  EXPECT_EQ(model->flops(7, 2, Reads::first),
            7 * 2.0 * (2 * (4 * 20 * 20 + 2 * 20 * 37) + 2 * 20 * 20) + 2 * 2.0 * (2 * 20 * 20 + 2 * 20 * 37));
  EXPECT_EQ(model->architecture("text_classification"), "BertForSequenceClassification");
}

}  // namespace
}  // namespace sft
