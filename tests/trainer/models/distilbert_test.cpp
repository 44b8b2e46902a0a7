// DistilBERT's names, config and refusals; what it shares with others is in text_models_test.cpp.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::batch_of;
using testing::small_config;
using testing::small_model;

TEST(DistilBert, NamesAndHeadsAreThoseOfTransformers) {
  const auto model = small_model("distilbert");
  const Parameters parameters = model->parameters();
  ASSERT_EQ(parameters.size(), 4u + 3 * 16) << "no token types, no pooler";
  EXPECT_FALSE(model->has_pooler());
  EXPECT_EQ(parameters[4].name, "distilbert.transformer.layer.0.attention.q_lin.weight");
  EXPECT_EQ(parameters[12].name, "distilbert.transformer.layer.0.sa_layer_norm.weight");
  EXPECT_EQ(parameters[14].name, "distilbert.transformer.layer.0.ffn.lin1.weight");
  EXPECT_EQ(parameters.back().name, "distilbert.transformer.layer.2.output_layer_norm.bias");
  EXPECT_FALSE(parameters[12].decays);
  EXPECT_EQ(model->sequence_head().hidden, "pre_classifier");
  EXPECT_EQ(model->sequence_head().activation, Activation::relu);
  EXPECT_EQ(model->sequence_head().input_dropout, 0.0);
  EXPECT_EQ(model->sequence_head().dropout, 0.2);
  EXPECT_EQ(model->token_head().hidden, "");
  EXPECT_EQ(model->token_head().dropout, 0.2) << "config.dropout";
  EXPECT_EQ(model->canonical("transformer.layer.0.ffn.lin1.bias"), "distilbert.transformer.layer.0.ffn.lin1.bias");
  EXPECT_EQ(model->canonical("vocab_projector.bias"), "vocab_projector.bias");
  EXPECT_EQ(model->architecture("ForTokenClassification"), "DistilBertForTokenClassification");
}

TEST(DistilBert, LooksAtNoTokenTypes) {
  const auto model = small_model("distilbert");
  Batch batch = batch_of({5, 9});
  const at::Tensor once = testing::forward(*model, to_device(batch, at::kCPU), Mode::evaluation);
  for (uint8_t& segment : batch.at("segments").as<uint8_t>()) segment = 200;
  EXPECT_TRUE(testing::forward(*model, to_device(batch, at::kCPU), Mode::evaluation).equal(once));
  EXPECT_EQ(model->text_limits()->num_segments, 0);
}

TEST(DistilBert, SinusoidalPositionsStartAsSinusoids) {
  nlohmann::json config = small_config("distilbert");
  config["sinusoidal_pos_embds"] = true;
  const auto model = make_model(config, {.dtype = at::kDouble, .seed = 5});
  const at::Tensor table = model->parameters()[1].value;
  EXPECT_EQ(model->parameters()[1].name, "distilbert.embeddings.position_embeddings.weight");
  EXPECT_EQ(table[0][0].item<double>(), 0.0);
  EXPECT_EQ(table[0][1].item<double>(), 1.0);
  EXPECT_NEAR(table[7][5].item<double>(), std::cos(7 / std::pow(10000.0, 4.0 / 20)), 1e-7);
  EXPECT_TRUE(table.requires_grad()) << "transformers trains them";
}

TEST(DistilBert, WhatIsNotBuiltIsRefusedByName) {
  testing::expect_refused("distilbert", "activation", "geluu", "activation = 'geluu' is not built");
  testing::expect_refused("distilbert", "dim", 21, "dim must be a multiple of n_heads (4), found 21");
  testing::expect_refused("distilbert", "seq_classif_dropout", 1.5,
                          "seq_classif_dropout must be a rate from 0 to below 1, found 1.5");
  testing::expect_refused("distilbert", "sinusoidal_pos_embds", 1,
                          "sinusoidal_pos_embds must be true or false, found 1");
}

}  // namespace
}  // namespace sft
