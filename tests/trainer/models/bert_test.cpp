// BERT's names, config and refusals; what it shares with others is in text_models_test.cpp.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "base/errors.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::small_config;
using testing::small_model;

TEST(Bert, NamesAndStagesAreThoseOfTransformers) {
  const auto model = small_model("bert");
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
  const auto model = small_model("bert");
  EXPECT_EQ(model->canonical("embeddings.LayerNorm.gamma"), "bert.embeddings.LayerNorm.weight");
  EXPECT_EQ(model->canonical("bert.encoder.layer.1.output.LayerNorm.beta"),
            "bert.encoder.layer.1.output.LayerNorm.bias");
  EXPECT_EQ(model->canonical("pooler.dense.weight"), "bert.pooler.dense.weight");
  EXPECT_EQ(model->canonical("classifier.weight"), "classifier.weight");
}

TEST(Bert, WhatIsNotBuiltIsRefusedByName) {
  testing::expect_refused("bert", "model_type", "xlm", "'xlm' is not built; built are: albert, bart, bert, ");
  testing::expect_refused("bert", "model_type", "distillbert",
                          "'distillbert' is not built (did you mean 'distilbert'?)");
  testing::expect_refused("bert", "hidden_act", "geluu", "hidden_act = 'geluu' is not built");
  testing::expect_refused("bert", "position_embedding_type", "relative_key",
                          "position_embedding_type must be \"absolute\"");
  testing::expect_refused("bert", "is_decoder", true, "is_decoder must be false");
  testing::expect_refused("bert", "hidden_size", 21,
                          "hidden_size must be a multiple of num_attention_heads (4), found 21");
  testing::expect_refused("bert", "hidden_dropout_prob", 1.0,
                          "hidden_dropout_prob must be a rate from 0 to below 1, found 1.0");
  testing::expect_refused("bert", "num_hidden_layers", "six",
                          "num_hidden_layers must be an integer from 1 to 4096, found \"six\"");
  testing::expect_refused("bert", "pad_token_id", 50, "pad_token_id must be below vocab_size (50)");
}

TEST(Bert, ConfigComesBackWithItsDefaults) {
  const auto model = small_model("bert");
  EXPECT_EQ(model->config()["layer_norm_eps"], 1e-12);
  EXPECT_EQ(model->config()["hidden_act"], "gelu");
  EXPECT_EQ(model->sequence_head().dropout, 0.2);
  nlohmann::json config = small_config("bert");
  config["classifier_dropout"] = 0.5;
  EXPECT_EQ(make_model(config, {.seed = 0})->sequence_head().dropout, 0.5);
  EXPECT_EQ(model->flops(7, 7), 7 * 2.0 * 3 * (4 * 20 * 20 + 2 * 20 * 37));
  EXPECT_EQ(model->flops(7, 2),
            7 * 2.0 * (2 * (4 * 20 * 20 + 2 * 20 * 37) + 2 * 20 * 20) + 2 * 2.0 * (2 * 20 * 20 + 2 * 20 * 37));
  EXPECT_EQ(model->architecture("ForSequenceClassification"), "BertForSequenceClassification");
}

}  // namespace
}  // namespace sft
